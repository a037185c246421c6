namespace Cairn.Fleet.Catalog.Csv;

/// <summary>
/// Short fields repeat all over a catalogue (regions, zones, card names), so one copy of each serves. Bounded: a slot keeps its last
/// text.
/// </summary>
internal sealed class CsvTextPool
{
    private const int LongestKept = 24;

    private readonly string?[] _slots = new string?[4096];

    public string GetOrAdd(ReadOnlySpan<char> text)
    {
        if (text.Length == 0)
            return "";
        if (text.Length > LongestKept)
            return text.ToString();
        ref var slot = ref _slots[string.GetHashCode(text) & (_slots.Length - 1)];
        if (slot is null || !text.SequenceEqual(slot))
            slot = text.ToString();
        return slot;
    }
}
