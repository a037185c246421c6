namespace Cairn.Planning.Scheduling;

/// <summary>
/// A set of labels, interned: equal sets are one instance. Each label (name and value) has a number; a set is the sorted numbers.
/// </summary>
internal sealed class LabelSet(int[] labels)
{
    public static readonly LabelSet Empty = new([]);

    /// <summary>The set that was asked for last, and whether this one holds it: nodes come in runs of equal labels.</summary>
    private LabelSet? _lastAsked;
    private bool _lastAnswer;

    public bool IsEmpty => labels.Length == 0;

    public bool Contains(LabelSet wanted)
    {
        if (wanted.IsEmpty || ReferenceEquals(this, wanted))
            return true;
        if (!ReferenceEquals(_lastAsked, wanted))
            (_lastAsked, _lastAnswer) = (wanted, ContainsAll(wanted.Numbers));
        return _lastAnswer;
    }

    private ReadOnlySpan<int> Numbers => labels;

    private bool ContainsAll(ReadOnlySpan<int> wanted)
    {
        foreach (var label in wanted)
        {
            if (Array.BinarySearch(labels, label) < 0)
                return false;
        }

        return true;
    }
}

/// <summary>Gives labels their numbers and sets their instances.</summary>
internal sealed class LabelSets
{
    private readonly Dictionary<(string Name, string Value), int> _numbers = [];
    private readonly Dictionary<string, LabelSet> _sets = new(StringComparer.Ordinal);

    public LabelSet Intern(IReadOnlyDictionary<string, string> labels)
    {
        if (labels.Count == 0)
            return LabelSet.Empty;
        var numbers = new int[labels.Count];
        var at = 0;
        foreach (var (name, value) in labels)
            numbers[at++] = NumberOf((name, value));
        Array.Sort(numbers);
        var key = string.Join(',', numbers);
        if (!_sets.TryGetValue(key, out var set))
            _sets[key] = set = new LabelSet(numbers);
        return set;
    }

    private int NumberOf((string Name, string Value) label)
    {
        if (!_numbers.TryGetValue(label, out var number))
            _numbers[label] = number = _numbers.Count;
        return number;
    }
}
