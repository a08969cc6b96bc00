using System.Collections.Immutable;
using System.Globalization;
using Authorization.Scopes;

namespace Authorization.Consents;

/// <summary>What an app asks for, as far as it may be granted at all.</summary>
public sealed record ConsentOffer(ImmutableArray<SmartScope> Resources, ImmutableArray<string> SignIn)
{
    /// <summary>Scopes a user is asked about; the others only say how the app was opened.</summary>
    public static readonly ImmutableArray<string> Asked = [SignInScopes.OpenId, SignInScopes.FhirUser, SignInScopes.OfflineAccess, SignInScopes.OnlineAccess];

    public bool IsEmpty => Resources.IsEmpty && SignIn.IsEmpty;

    public bool ForPatient => Resources.Any(static scope => scope.Level == ScopeLevel.Patient) || SignIn.Contains(SignInScopes.LaunchPatient);

    public IEnumerable<string> Texts => SignIn.Concat(Resources.Select(static scope => scope.ToString()));
}

/// <summary>
/// What a user leaves of it. Each resource scope <c>i</c> has a box <c>s{i}</c> for the whole, boxes <c>s{i}.{letter}</c> for what may be
/// done, and where there are parts boxes <c>s{i}.part{k}</c> to be granted instead of the whole; each other scope has a box by its name.
/// </summary>
internal static class ConsentChoice
{
    public static string Whole(int scope) => string.Create(CultureInfo.InvariantCulture, $"s{scope}");

    public static string Letter(int scope, Permissions letter) => $"{Whole(scope)}.{SmartScope.LettersOf(letter)}";

    public static string Part(int scope, int part) => string.Create(CultureInfo.InvariantCulture, $"s{scope}.part{part}");

    /// <summary>The letters of a scope, one by one.</summary>
    public static IEnumerable<Permissions> LettersOf(SmartScope scope) =>
        Enum.GetValues<Permissions>().Where(letter => letter is not (Permissions.None or Permissions.All) && scope.Permissions.HasFlag(letter));

    /// <param name="isTicked">By name of the box.</param>
    /// <returns>Never more than was offered.</returns>
    public static ConsentOffer Choose(ConsentOffer offer, Func<string, bool> isTicked)
    {
        ArgumentNullException.ThrowIfNull(offer);
        var resources = ImmutableArray.CreateBuilder<SmartScope>();
        for (var i = 0; i < offer.Resources.Length; i++)
        {
            var scope = offer.Resources[i];
            var letters = LettersOf(scope).ToArray();
            var left = letters.Length == 1 ? scope.Permissions
                : letters.Where(letter => isTicked(Letter(i, letter))).Aggregate(Permissions.None, static (all, letter) => all | letter);
            if (left == Permissions.None)
            {
                continue;
            }
            var narrower = scope.With(scope.Type, left);
            if (isTicked(Whole(i)))
            {
                resources.Add(narrower);
                continue;
            }
            var parts = GranularParts.Of(scope);
            for (var k = 0; k < parts.Length; k++)
            {
                if (isTicked(Part(i, k)))
                {
                    resources.Add(narrower with { IsV1 = false, Filter = parts[k].Filter });
                }
            }
        }
        var signIn = offer.SignIn.Where(scope => !ConsentOffer.Asked.Contains(scope) || isTicked(scope)).ToImmutableArray();
        if (!signIn.Contains(SignInScopes.OpenId))
        {
            signIn = signIn.Remove(SignInScopes.FhirUser); // there is no id token to say it in
        }
        return new(resources.ToImmutable(), signIn);
    }
}
