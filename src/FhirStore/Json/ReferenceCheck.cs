using System.Text;
using System.Text.Json;
using FhirStore.Model;

namespace FhirStore.Json;

/// <summary>A Reference's literal: its form, its target's type, and that a contained target exists.</summary>
internal sealed class ReferenceCheck(IssueLog log)
{
    private Container _container;

    /// <summary>A resource with its own contained resources.</summary>
    internal record struct Container(JsonElement Resource, bool IsBundleEntry, ContainedIndex? Index);

    /// <returns>The container until now, for <see cref="LeaveContainer"/>.</returns>
    public Container EnterContainer(JsonElement resource, bool isBundleEntry)
    {
        var outer = _container;
        _container = new(resource, isBundleEntry, null);
        return outer;
    }

    public void LeaveContainer(Container outer) => _container = outer;

    /// <param name="owner">The element of type Reference; null where that is not known.</param>
    public void Check(ReadOnlySpan<byte> text, ElementModel? owner)
    {
        switch (ReferenceLiteral.Read(text, out var type))
        {
            case ReferenceForm.UnknownType:
                log.Add("value", "The reference names a resource type that R4 does not have.");
                return;
            case ReferenceForm.Wrong:
            case ReferenceForm.Conditional when !_container.IsBundleEntry:
                log.Add("value", "A reference is Type/id, Type/id/_history/version, an absolute URL, urn:uuid:… or urn:oid:…, or #id of a contained resource; Type?criteria only in a transaction.");
                return;
            case ReferenceForm.Contained when text.Length > 1:
                type = (_container.Index ??= new(_container.Resource)).TypeOf(Encoding.UTF8.GetString(text[1..]));
                if (type is null)
                {
                    log.Add("invariant", "ref-1: no contained resource has this id.");
                    return;
                }
                break;
        }
        if (!string.IsNullOrEmpty(type) && owner?.ReferenceTargets is { Count: > 0 } targets && !Contains(targets, type))
        {
            log.Add("value", $"{owner.JsonName} refers to {string.Join(", ", targets)}; found a reference to {(R4Model.IsResourceType(type) ? type : "something else")}.");
        }
    }

    private static bool Contains(IReadOnlyList<string> targets, string type)
    {
        for (var i = 0; i < targets.Count; i++)
        {
            if (targets[i] == type)
            {
                return true;
            }
        }
        return false;
    }
}
