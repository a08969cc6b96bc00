namespace FhirStore.Model;

/// <summary>What a <see cref="TypeModel"/> finds out on its first use.</summary>
internal sealed class TypeShape
{
    public TypeShape(ElementModel[] elements)
    {
        Elements = elements;
        ByName = elements.ToDictionary(e => e.JsonName, StringComparer.Ordinal);
        ByUtf8Name = new(elements, e => e.JsonName);
        ByPathName = elements.GroupBy(e => e.PathName, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal);
        foreach (var element in elements)
        {
            if (element.Min > 0)
            {
                Mandatory |= 1UL << element.Slot;
            }
        }
    }

    public ElementModel[] Elements { get; }

    public Dictionary<string, ElementModel> ByName { get; }

    public Utf8Table<ElementModel> ByUtf8Name { get; }

    public Dictionary<string, ElementModel[]> ByPathName { get; }

    public ulong Mandatory { get; }
}
