using System.Collections.Immutable;
using FhirStore.Model;

namespace FhirStore.Indexing;

/// <summary>
/// Turns the small part of FHIRPath that R4's search parameters use into paths: <c>a.b | c</c>, <c>(a as T)</c>, <c>a.as(T)</c>,
/// <c>a.where(resolve() is T)</c>, <c>a.where(b='c')</c>, <c>a[0]</c>. Choices are expanded into one path for each type.
/// </summary>
internal ref struct PathCompiler
{
    private readonly TypeModel _root;
    private readonly bool _relative;
    private ReadOnlySpan<char> _rest;

    private PathCompiler(TypeModel root, bool relative, ReadOnlySpan<char> expression)
    {
        _root = root;
        _relative = relative;
        _rest = expression;
    }

    /// <summary>Branches that begin with another resource type are left out.</summary>
    /// <exception cref="FormatException">The expression uses something else than the forms above, or an element that the type does not have.</exception>
    public static ImmutableArray<ElementPath> Compile(TypeModel resource, string expression) => new PathCompiler(resource, relative: false, expression).All();

    /// <summary>An expression that begins at an element of the type, as those of a composite's components do.</summary>
    public static ImmutableArray<ElementPath> CompileRelative(TypeModel element, string expression) => new PathCompiler(element, relative: true, expression).All();

    /// <summary>A path that still grows; <paramref name="Type"/> is null below an element that holds any resource.</summary>
    private readonly record struct Branch(ImmutableList<PathStep> Steps, TypeModel? Type, CodeSet? Codes = null);

    private ImmutableArray<ElementPath> All()
    {
        var paths = ImmutableArray.CreateBuilder<ElementPath>();
        foreach (var branch in Union())
        {
            var name = branch.Type?.Name ?? "Resource";
            var shape = branch.Type is null || (branch.Type.IsResource && branch.Steps.Count > 0) ? ElementShape.Resource : ElementShapes.Of(name);
            var path = new ElementPath(branch.Steps, name, shape, branch.Codes);
            if (!paths.Any(p => p.Text == path.Text))
            {
                paths.Add(path);
            }
        }
        if (!_rest.Trim().IsEmpty)
        {
            throw new FormatException($"Cannot read the search expression at '{_rest}'.");
        }
        return paths.ToImmutable();
    }

    private List<Branch> Union()
    {
        var branches = Chain();
        while (Take('|'))
        {
            branches.AddRange(Chain());
        }
        return branches;
    }

    private List<Branch> Chain()
    {
        var branches = Start();
        while (true)
        {
            if (Take('.'))
            {
                branches = Segment(branches);
            }
            else if (Take('['))
            {
                var index = int.Parse(Until(']'), System.Globalization.CultureInfo.InvariantCulture);
                branches = branches.ConvertAll(b => WithLast(b, s => s.At(index)));
            }
            else if (TakeWord("as"))
            {
                var type = Word();
                branches = branches.FindAll(b => IsType(b, type));
            }
            else
            {
                return branches;
            }
        }
    }

    private List<Branch> Start()
    {
        if (Take('('))
        {
            var inner = Union();
            Expect(')');
            return inner;
        }
        var word = Word();
        var whole = new Branch([], _root);
        if (_relative || char.IsAsciiLetterLower(word[0])) // InsurancePlan-name leaves the type's name out
        {
            return Property([whole], word);
        }
        return word == _root.Name || word is "Resource" or "DomainResource" ? [whole] : [];
    }

    private List<Branch> Segment(List<Branch> branches)
    {
        var word = Word();
        if (!Take('('))
        {
            return Property(branches, word);
        }
        switch (word)
        {
            case "as" or "ofType":
                var type = Word();
                Expect(')');
                return branches.FindAll(b => IsType(b, type));
            case "where" when TakeWord("resolve"):
                Expect('(');
                Expect(')');
                if (!TakeWord("is"))
                {
                    throw new FormatException($"Cannot read the search expression at '{_rest}'.");
                }
                var target = Word();
                Expect(')');
                return branches.ConvertAll(b => WithLast(b, s => s.To(target)));
            case "where":
                var part = Word();
                Expect('=');
                Expect('\'');
                var text = Until('\'');
                Expect(')');
                return branches.ConvertAll(b => WithLast(b, s => s.Where(part, text)));
            default:
                throw new FormatException($"The search expression uses {word}(), which is not known here.");
        }
    }

    private static List<Branch> Property(List<Branch> branches, string name)
    {
        var next = new List<Branch>();
        foreach (var branch in branches)
        {
            if (branch.Type is null)
            {
                throw new FormatException($"No element '{name}' can be looked up in a resource of any type.");
            }
            var elements = branch.Type.ByPathName(name);
            if (elements.Count == 0)
            {
                throw new FormatException($"{branch.Type.Name} has no element '{name}'.");
            }
            foreach (var element in elements)
            {
                next.Add(new(branch.Steps.Add(new(element.JsonName)), element.Type, element.Codes));
            }
        }
        return next;
    }

    private static Branch WithLast(Branch branch, Func<PathStep, PathStep> change) =>
        branch with { Steps = branch.Steps.SetItem(branch.Steps.Count - 1, change(branch.Steps[^1])) };

    // Some definitions write a primitive's name with a capital: value.as(DateTime).
    private static bool IsType(Branch branch, string name) => branch.Type is { } type && string.Equals(type.Name, name, StringComparison.OrdinalIgnoreCase);

    private bool Take(char c)
    {
        _rest = _rest.TrimStart();
        if (_rest.IsEmpty || _rest[0] != c)
        {
            return false;
        }
        _rest = _rest[1..];
        return true;
    }

    private void Expect(char c)
    {
        if (!Take(c))
        {
            throw new FormatException($"Expected '{c}' in the search expression at '{_rest}'.");
        }
    }

    private bool TakeWord(string word)
    {
        var rest = _rest.TrimStart();
        if (!rest.StartsWith(word, StringComparison.Ordinal) || (rest.Length > word.Length && char.IsLetterOrDigit(rest[word.Length])))
        {
            return false;
        }
        _rest = rest[word.Length..];
        return true;
    }

    private string Word()
    {
        _rest = _rest.TrimStart();
        var length = 0;
        while (length < _rest.Length && (char.IsAsciiLetterOrDigit(_rest[length]) || _rest[length] == '_'))
        {
            length++;
        }
        if (length == 0)
        {
            throw new FormatException($"Expected a name in the search expression at '{_rest}'.");
        }
        var word = _rest[..length].ToString();
        _rest = _rest[length..];
        return word;
    }

    private string Until(char end)
    {
        var length = _rest.IndexOf(end);
        if (length < 0)
        {
            throw new FormatException($"Expected '{end}' in the search expression at '{_rest}'.");
        }
        var text = _rest[..length].ToString();
        _rest = _rest[(length + 1)..];
        return text;
    }
}
