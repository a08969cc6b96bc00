using System.Diagnostics.CodeAnalysis;

namespace FhirCore;

/// <summary>A value, or the reason why there is none. Both convert implicitly, so a method returns either.</summary>
public readonly struct Outcome<T>
{
    private readonly T? _value;

    private Outcome(T? value, FhirFailure? failure)
    {
        _value = value;
        Failure = failure;
    }

    public FhirFailure? Failure { get; }

    /// <exception cref="InvalidOperationException">There is a <see cref="Failure"/> instead.</exception>
    public T Value => Failure is null ? _value! : throw new InvalidOperationException("The outcome is a failure.");

    /// <returns><see langword="false"/> when refused; then <paramref name="failure"/> says why.</returns>
    public bool TryGet([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out FhirFailure? failure)
    {
        value = _value;
        failure = Failure;
        return failure is null;
    }

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(FhirFailure failure) => new(default, failure);
}
