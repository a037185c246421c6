using System.Text.Json;
using Cairn.Frameworks.Constraining.Automata;

namespace Cairn.Frameworks.Constraining.JsonSchemas;

internal sealed partial class SchemaCompiler
{
    private const int MaximumItems = 10_000;

    private int AnyArray => Shared("any array", () => Items([], [], 0, null, 0));

    private Fragment Array(Conjunction all, int depth)
    {
        var (minimum, maximum) = (all.Count("minItems", Math.Max) ?? 0, all.Count("maxItems", Math.Min));
        if (minimum > MaximumItems || (maximum is { } many && many > MaximumItems))
            throw all.Parts[0].Error($"minItems or maxItems is above {MaximumItems}, which cannot be held; leave it out.");
        var tuples = all.Parts.Select(p => (Part: p, Tuple: TupleOf(p))).ToList();
        var first = tuples.Max(t => t.Tuple.Count);
        var prefix = Enumerable.Range(0, first)
            .Select(i => (IReadOnlyList<Located>)[.. tuples.SelectMany(t => At(t.Part, t.Tuple, i))]).ToList();
        Located[] rest = [.. tuples.SelectMany(t => RestOf(t.Part))];
        // A tuple ends with its last declared item unless something asks for more.
        if (first > 0 && rest.Length == 0 && minimum <= first) maximum = Math.Min(maximum ?? first, first);
        var closed = rest.FirstOrDefault(r => r.Schema.ValueKind == JsonValueKind.False);
        if (closed.Pointer is not null) maximum = Math.Min(maximum ?? first, first);
        if (first == 0 && rest.Length == 0 && minimum == 0 && maximum is null) return _nfa.Calling(AnyArray);
        return minimum > (maximum ?? minimum) ? _nfa.New() : Items(prefix, rest, minimum, maximum, depth);
    }

    private static List<Located> TupleOf(Located part)
    {
        var keyword = part.Keyword("prefixItems") is not null ? "prefixItems" : "items";
        if (part.Keyword(keyword) is not { ValueKind: JsonValueKind.Array } tuple)
            return part.Keyword("prefixItems") is null ? [] : throw part.Error("prefixItems is not a list of schemas.");
        return [.. tuple.EnumerateArray().Select((s, i) => part.At(s, keyword, $"{i}"))];
    }

    /// <summary>What holds for items after the tuple: <c>items</c>, or <c>additionalItems</c> where items is the tuple.</summary>
    private static IEnumerable<Located> RestOf(Located part)
    {
        var keyword = part.Keyword("items") is { ValueKind: JsonValueKind.Array } ? "additionalItems" : "items";
        return part.Keyword(keyword) is { } rest ? [part.At(rest, keyword)] : [];
    }

    private static IEnumerable<Located> At(Located part, List<Located> tuple, int index) =>
        index < tuple.Count ? [tuple[index]] : RestOf(part);

    private Fragment Items(IReadOnlyList<IReadOnlyList<Located>> prefix, IReadOnlyList<Located> rest, int minimum, int? maximum, int depth)
    {
        var (start, open, close, end) = (_nfa.State(), _nfa.State(), _nfa.State(), _nfa.State());
        _nfa.Range(start, '[', '[', open);
        if (minimum == 0) _nfa.Range(open, ']', ']', end);
        _nfa.Range(close, ']', ']', end);
        if (maximum == 0) return new Fragment(start, end);
        var before = _nfa.State();
        Space(open, before);
        for (var i = 0; i < prefix.Count && i < (maximum ?? prefix.Count); i++)
        {
            var item = Value(prefix[i], null, depth);
            _nfa.Skip(before, item.Start);
            if (i + 1 >= minimum) Space(item.End, close);
            if (i + 1 == maximum) return new Fragment(start, end);
            before = _nfa.State();
            Comma(item.End, before);
        }
        var (needed, possible) = (Math.Max(0, minimum - prefix.Count), maximum - prefix.Count);
        var first = Value(rest, null, depth);
        _nfa.Skip(before, first.Start);
        if (needed <= 1 && possible is null)
        {
            Space(first.End, close);
            Comma(first.End, first.Start);
            return new Fragment(start, end);
        }
        var more = _nfa.Declare(); // counted: one more is a call, so that a high count costs one state each
        var (separated, another) = (_nfa.State(), Value(rest, null, depth));
        Comma(separated, another.Start);
        _nfa.Define(more, new Fragment(separated, another.End));
        Counted(first.End, more, Math.Max(0, needed - 1), possible - 1, close);
        return new Fragment(start, end);
    }
}
