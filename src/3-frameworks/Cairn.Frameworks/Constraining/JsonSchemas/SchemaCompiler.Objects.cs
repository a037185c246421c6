using System.Text.Json;
using Cairn.Frameworks.Constraining.Automata;
using Cairn.Frameworks.Constraining.Regexes;

namespace Cairn.Frameworks.Constraining.JsonSchemas;

internal sealed partial class SchemaCompiler
{
    /// <summary>Spaces after a line end: enough for indented output some levels deep, too few to go on for ever.</summary>
    private const int MaximumIndent = 16;

    private int AnyValue => Shared("any value", () => _nfa.Either(
        _nfa.Calling(AnyObject), _nfa.Calling(AnyArray), _nfa.Calling(AnyString), UnboundedNumber(false),
        _nfa.Text("true"), _nfa.Text("false"), _nfa.Text("null")));

    private int AnyObject => Shared("any object", () => Members(new ObjectShape([], [], true, 0, null), 0));

    /// <param name="Declared">In the order they are said.</param>
    /// <param name="Others">What undeclared properties must satisfy.</param>
    /// <param name="IsOpen">Whether there may be undeclared ones.</param>
    /// <param name="MinimumOthers">How many of those there are at least.</param>
    /// <param name="MaximumOthers">And at most; null for any number.</param>
    private sealed record ObjectShape(
        IReadOnlyList<Property> Declared, IReadOnlyList<Located> Others, bool IsOpen, int MinimumOthers, int? MaximumOthers);

    private sealed record Property(string Name, IReadOnlyList<Located> Schemas, bool IsRequired);

    private Fragment Object(Conjunction all, int depth)
    {
        var shape = ShapeOf(all);
        return shape is { Declared.Count: 0, IsOpen: true, Others.Count: 0, MinimumOthers: 0, MaximumOthers: null }
            ? _nfa.Calling(AnyObject)
            : Members(shape, depth);
    }

    private static ObjectShape ShapeOf(Conjunction all)
    {
        var names = new List<string>();
        var schemas = new Dictionary<string, List<Located>>();
        foreach (var (part, properties) in all.All("properties"))
        {
            if (properties.ValueKind != JsonValueKind.Object)
                throw part.Error($"properties is {properties.GetRawText()}; expected an object.");
            foreach (var property in properties.EnumerateObject())
                Of(property.Name).Add(part.At(property.Value, "properties", property.Name));
        }
        var required = all.All("required").SelectMany(r => Names(r.Part, r.Value)).ToHashSet();
        foreach (var name in required) Of(name);
        foreach (var part in all.Parts)
        {
            if (part.Keyword("additionalProperties") is not { } additional) continue;
            foreach (var name in names)
                if (part.Keyword("properties") is not { } own || !own.TryGetProperty(name, out _))
                    schemas[name].Add(part.At(additional, "additionalProperties"));
        }
        var others = all.All("additionalProperties").Select(a => a.Part.At(a.Value, "additionalProperties")).ToList();
        var isOpen = others.Count > 0 ? others.All(o => o.Schema.ValueKind != JsonValueKind.False) : !all.HasAny("properties");
        others.RemoveAll(o => o.Schema.ValueKind == JsonValueKind.True);
        List<Property> declared = [.. names.Select(n => new Property(n, schemas[n], required.Contains(n)))
            .Where(p => p.IsRequired || p.Schemas.All(s => s.Schema.ValueKind != JsonValueKind.False))];
        var (minimum, maximum) = CountOfOthers(all, declared, isOpen);
        return new ObjectShape(declared, others, isOpen, minimum, maximum);

        List<Located> Of(string name)
        {
            if (schemas.TryGetValue(name, out var known)) return known;
            names.Add(name);
            return schemas[name] = [];
        }
    }

    private static (int, int?) CountOfOthers(Conjunction all, List<Property> declared, bool isOpen)
    {
        var (minimum, maximum) = (all.Count("minProperties", Math.Max) ?? 0, all.Count("maxProperties", Math.Min));
        var required = declared.Count(p => p.IsRequired);
        var (holdsMinimum, holdsMaximum) = (minimum <= required, maximum is null || (!isOpen && maximum >= declared.Count));
        if (holdsMinimum && holdsMaximum) return (0, null);
        if (required == declared.Count && isOpen && (maximum is null || (maximum >= required && maximum <= 10_000)))
            return (Math.Max(0, minimum - required), maximum - required);
        throw all.Parts[0].Error("minProperties and maxProperties are held only where every declared property is required, or where they "
            + "follow from the properties; leave them out.");
    }

    private static IEnumerable<string> Names(Located part, JsonElement list) =>
        list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(n => n.ValueKind == JsonValueKind.String)
            ? list.EnumerateArray().Select(n => n.GetString()!)
            : throw part.Error($"required is {list.GetRawText()}; expected a list of names.");

    /// <summary>Before property i stand two states, one where nothing was said yet and one where something was; both lead into the same
    /// states for the property itself, so that nesting does not multiply.</summary>
    private Fragment Members(ObjectShape shape, int depth)
    {
        var (start, open, end) = (_nfa.State(), _nfa.State(), _nfa.State());
        _nfa.Range(start, '{', '{', open);
        if (shape.MinimumOthers == 0 && shape.Declared.All(p => !p.IsRequired)) _nfa.Range(open, '}', '}', end);
        var (nothing, something) = (_nfa.State(), _nfa.State());
        Space(open, nothing);
        var dead = something; // nothing leads to it before the first property
        foreach (var property in shape.Declared)
        {
            var (key, nothingNext, somethingNext) = (_nfa.State(), _nfa.State(), _nfa.State());
            _nfa.Skip(nothing, key);
            if (something != dead) Comma(something, key);
            var name = _nfa.Text(JsonStringWriter.Quoted(property.Name) + ":");
            _nfa.Skip(key, name.Start);
            _nfa.Skip(ValueAfterColon(name.End, property.Schemas, depth), somethingNext);
            if (!property.IsRequired)
            {
                _nfa.Skip(nothing, nothingNext);
                if (something != dead) _nfa.Skip(something, somethingNext);
            }
            (nothing, something) = (nothingNext, somethingNext);
        }
        var close = _nfa.State();
        if (shape.IsOpen) Others(shape, nothing, something, close, depth);
        if (shape.MinimumOthers == 0) Space(something, close);
        _nfa.Range(close, '}', '}', end);
        return new Fragment(start, end);
    }

    private void Others(ObjectShape shape, int nothing, int something, int close, int depth)
    {
        if (shape.MaximumOthers <= 0) return;
        var (key, after) = (_nfa.State(), _nfa.State());
        var (first, last) = (_nfa.State(), after);
        _nfa.Skip(nothing, key);
        Comma(something, key);
        var name = OtherName([.. shape.Declared.Select(p => p.Name)]);
        _nfa.Skip(key, name.Start);
        _nfa.Range(name.End, ':', ':', first);
        _nfa.Skip(ValueAfterColon(first, shape.Others, depth), after);
        if (shape is { MinimumOthers: 0, MaximumOthers: null })
        {
            Comma(after, key);
            Space(after, close);
            return;
        }
        // Counted: one more is a call, so that a high count costs one state each.
        var more = _nfa.Declare();
        var (separated, moreKey) = (_nfa.New(), _nfa.State());
        Comma(separated.Start, moreKey);
        var (again, value) = (OtherName([.. shape.Declared.Select(p => p.Name)]), _nfa.State());
        _nfa.Skip(moreKey, again.Start);
        _nfa.Range(again.End, ':', ':', value);
        _nfa.Skip(ValueAfterColon(value, shape.Others, depth), separated.End);
        _nfa.Define(more, separated);
        Counted(last, more, Math.Max(0, shape.MinimumOthers - 1), shape.MaximumOthers - 1, close);
    }

    /// <summary>Calls a rule so many times, then white space.</summary>
    private void Counted(int from, int rule, int minimum, int? maximum, int to)
    {
        var done = _nfa.State();
        for (var i = 0; i < (maximum ?? minimum); i++)
        {
            if (i >= minimum) _nfa.Skip(from, done);
            var next = _nfa.State();
            _nfa.Call(from, rule, next);
            from = next;
        }
        _nfa.Skip(from, done);
        if (maximum is null) _nfa.Call(from, rule, from);
        Space(done, to);
    }

    private int ValueAfterColon(int colon, IReadOnlyList<Located> schemas, int depth)
    {
        var value = Value(schemas, null, depth);
        _nfa.Skip(colon, value.Start);
        _nfa.Range(colon, ' ', ' ', value.Start);
        return value.End;
    }

    /// <summary>A quoted name that is none of these. Names are spelled without needless escapes, so spelling and name are one.</summary>
    private Fragment OtherName(IReadOnlyCollection<string> taken)
    {
        if (taken.Count == 0) return _nfa.Calling(AnyString);
        var name = _nfa.New();
        var (content, free) = (_nfa.State(), _nfa.State());
        var characters = new JsonStringWriter(_nfa);
        _nfa.Range(name.Start, '"', '"', content);
        characters.Write(free, CodeSet.All, free);
        _nfa.Range(free, '"', '"', name.End);
        Differ(content, [.. taken.Select(t => t.EnumerateRunes().Select(r => r.Value).ToArray())], 0);
        return name;

        void Differ(int from, List<int[]> names, int at)
        {
            if (names.All(n => n.Length != at)) _nfa.Range(from, '"', '"', name.End);
            var branches = names.Where(n => n.Length > at).GroupBy(n => n[at]).ToList();
            characters.Write(from, new CodeSet(branches.Select(b => (b.Key, b.Key))).Negated(), free);
            foreach (var branch in branches)
            {
                var next = _nfa.State();
                characters.Write(from, CodeSet.Of(branch.Key), next);
                Differ(next, [.. branch], at + 1);
            }
        }
    }

    private void Comma(int from, int to)
    {
        var after = _nfa.State();
        _nfa.Range(from, ',', ',', after);
        Space(after, to);
    }

    /// <summary>Nothing, one space, or a line end and some indentation.</summary>
    private void Space(int from, int to)
    {
        _nfa.Skip(from, to);
        _nfa.Range(from, ' ', ' ', to);
        var line = _nfa.State();
        _nfa.Range(from, '\n', '\n', line);
        for (var i = 0; i < MaximumIndent; i++)
        {
            var next = _nfa.State();
            _nfa.Skip(line, to);
            _nfa.Range(line, ' ', ' ', next);
            line = next;
        }
        _nfa.Skip(line, to);
    }
}
