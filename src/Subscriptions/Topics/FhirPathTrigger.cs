using FhirCore;
using Hl7.Fhir.FhirPath;
using Hl7.Fhir.Model;
using Hl7.FhirPath;
using Hl7.FhirPath.Expressions;
using Expression = Hl7.FhirPath.Expressions.Expression;

namespace Subscriptions.Topics;

/// <summary>
/// A FHIRPath expression on <c>%current</c> and <c>%previous</c>,
/// https://hl7.org/fhir/R5/subscriptiontopic-definitions.html#SubscriptionTopic.resourceTrigger.fhirPathCriteria. What it may cost is
/// bounded before it is ever evaluated: by its length, by how deep it nests, and by the functions it may call.
/// </summary>
public sealed class FhirPathTrigger
{
    private const int LongestExpression = 2_000;

    /// <summary>Each level may walk over the whole resource for each element of the level above.</summary>
    private const int DeepestNesting = 3;

    /// <summary>Walk without end, match patterns that never finish, reach outside the resource, or write to a log.</summary>
    private static readonly HashSet<string> Refused = new(StringComparer.Ordinal)
    {
        "repeat", "repeatAll", "descendants", "aggregate", "matches", "matchesFull", "replaceMatches", "resolve", "trace", "conformsTo", "memberOf", "subsumes", "subsumedBy",
        "htmlChecks", "defineVariable", "now", "today", "timeOfDay",
    };

    /// <summary>Functions whose argument is evaluated for each element.</summary>
    private static readonly HashSet<string> Loops = new(StringComparer.Ordinal) { "where", "select", "all", "exists", "iif", "sort" };

    /// <summary>The SDK's table is slow to make and does not change.</summary>
    private static readonly Lazy<FhirPathCompiler> Compiler = new(() => new(new SymbolTable().AddStandardFP().AddFhirExtensions()));

    private readonly Lazy<CompiledExpression> _expression;

    private FhirPathTrigger(Lazy<CompiledExpression> expression, bool needsPrevious)
    {
        _expression = expression;
        NeedsPrevious = needsPrevious;
    }

    public bool NeedsPrevious { get; }

    /// <param name="at">FHIRPath of the expression's place in the topic, for refusals.</param>
    public static Outcome<FhirPathTrigger> Compile(string text, string at)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > LongestExpression)
        {
            return Refuse($"An expression has at most {LongestExpression} characters.", at);
        }
        try
        {
            var parsed = Compiler.Value.Parse(text);
            var use = new Use();
            if (use.Look(parsed, 0) is { } problem)
            {
                return Refuse(problem, at);
            }
            return new FhirPathTrigger(new(Compiler.Value.Compile(parsed, false)), use.NamesPrevious);
        }
        catch (Exception wrong) when (wrong is FormatException or ArgumentException or InvalidOperationException or NotSupportedException or InvalidCastException)
        {
            return Refuse($"Not a FHIRPath expression that this server can evaluate: {wrong.Message.Split('\n')[0]}", at);
        }
    }

    /// <summary>An expression of the server's own, compiled when it is first needed: the SDK takes a second to warm up.</summary>
    public static FhirPathTrigger Own(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new(new(() => Compiler.Value.Compile(text, false)), text.Contains("%previous", StringComparison.Ordinal));
    }

    /// <exception cref="TriggerFaultException">It cannot be evaluated on this resource.</exception>
    public bool Holds(ResourceChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        try
        {
            var (current, previous) = (change.CurrentModel, NeedsPrevious ? change.PreviousModel : null);
            var context = new FhirEvaluationContext
            {
                Environment = new Dictionary<string, IEnumerable<PocoNode>> { ["current"] = Listed(current), ["previous"] = Listed(previous) },
            };
            return (current ?? change.PreviousModel) is { } focus && _expression.Value.IsTrue(focus, context);
        }
        catch (Exception wrong) when (wrong is not OutOfMemoryException)
        {
            throw new TriggerFaultException(wrong.GetType().Name, wrong); // the SDK throws all kinds, and its messages may quote the resource
        }
    }

    private static PocoNode[] Listed(PocoNode? node) => node is null ? [] : [node];

    private static FhirFailure Refuse(string why, string at) => FhirFailure.Of(FailureKind.Unprocessable, why, at, "value");

    /// <summary>What an expression would do, seen from its text.</summary>
    private sealed class Use
    {
        public bool NamesPrevious { get; private set; }

        /// <returns>Null where nothing speaks against it.</returns>
        public string? Look(Expression? expression, int depth)
        {
            switch (expression)
            {
                case null or ConstantExpression:
                    return null;
                case VariableRefExpression variable:
                    NamesPrevious |= variable.Name == "previous";
                    return null;
                case FunctionCallExpression call:
                    if (Refused.Contains(call.FunctionName))
                    {
                        return $"The function {call.FunctionName}() is not offered in triggers: its cost has no bound, or it depends on more than the resource.";
                    }
                    var inner = Loops.Contains(call.FunctionName) ? depth + 1 : depth;
                    if (inner > DeepestNesting)
                    {
                        return $"where(), select(), all(), exists(), iif() and sort() may stand within one another {DeepestNesting} deep.";
                    }
                    return Look(call.Focus, depth) ?? call.Arguments.Select(argument => Look(argument, inner)).FirstOrDefault(problem => problem is not null);
                case BracketExpression bracket:
                    return Look(bracket.Operand, depth);
                case NewNodeListInitExpression list:
                    return list.Contents.Select(item => Look(item, depth)).FirstOrDefault(problem => problem is not null);
                default:
                    return $"An expression of the kind {expression.GetType().Name} is not offered in triggers.";
            }
        }
    }
}
