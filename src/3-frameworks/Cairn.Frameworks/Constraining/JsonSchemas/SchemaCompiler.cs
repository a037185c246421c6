using System.Text.Json;
using Cairn.Frameworks.Constraining.Automata;

namespace Cairn.Frameworks.Constraining.JsonSchemas;

/// <summary>A JSON Schema as rules: one per referenced schema, so that recursion is a call, and one per kind of text that places share.</summary>
/// <remarks>What is said is always valid. Where a schema leaves a choice that models handle badly the texts are fewer than the valid ones:
/// properties come in the schema's order, undeclared ones only where <c>additionalProperties</c> asks for them, space is bounded.</remarks>
internal sealed partial class SchemaCompiler
{
    private const int MaximumCharacters = 256 * 1024, MaximumDepth = 100, MaximumRules = 4096, MaximumBranches = 512;

    private readonly Nfa _nfa = new();
    private readonly Dictionary<string, int> _rules = [];
    private readonly Queue<(int Rule, Func<Fragment> Write)> _pending = [];

    // Per rule those it may call before any byte, and a schema it is made from.
    private readonly Dictionary<int, (List<int> Calls, string Pointer)> _leading = [];

    /// <summary>States whose first rule is the whole text.</summary>
    public static Nfa Compile(JsonElement schema) => Compile([new SchemaRoot(schema, "#")], (_, value) => value(0));

    /// <summary>Values of several schemas inside of other text.</summary>
    /// <param name="schemas">Each refers only to itself.</param>
    /// <param name="around">Writes the whole text; its second argument gives a value of the schema with that index.</param>
    public static Nfa Compile(IReadOnlyList<SchemaRoot> schemas, Func<Nfa, Func<int, Fragment>, Fragment> around)
    {
        foreach (var schema in schemas)
        {
            if (schema.Schema.GetRawText().Length is > MaximumCharacters and var length)
                throw new GrammarException($"{schema.Name}: the schema has {length} characters; at most {MaximumCharacters} are taken.");
        }
        var compiler = new SchemaCompiler();
        var whole = compiler._nfa.Declare();
        compiler._nfa.Define(whole, around(compiler._nfa, i => compiler._nfa.Calling(compiler.Rule([schemas[i].Located]))));
        while (compiler._pending.TryDequeue(out var next)) compiler._nfa.Define(next.Rule, next.Write());
        compiler.RefuseEndlessReferences();
        return compiler._nfa;
    }

    /// <summary>The rule for values that satisfy all of these schemas.</summary>
    private int Rule(IReadOnlyList<Located> schemas)
    {
        var key = string.Join(' ', schemas.Select(s => s.IsFlat ? s.Pointer + "!" : s.Pointer).Distinct().Order(StringComparer.Ordinal));
        if (_rules.TryGetValue(key, out var known)) return known;
        var rule = 0;
        rule = Shared(key, () => Parts(new Conjunction(schemas), rule, 0));
        _leading[rule] = ([], schemas[0].Pointer);
        return rule;
    }

    /// <summary>A rule that several places call, by a name of its own.</summary>
    private int Shared(string name, Func<Fragment> write)
    {
        if (_rules.TryGetValue(name, out var known)) return known;
        if (_rules.Count == MaximumRules) throw new GrammarException($"The schema needs more than {MaximumRules} rules; make it smaller.");
        var rule = _rules[name] = _nfa.Declare();
        _pending.Enqueue((rule, write));
        return rule;
    }

    /// <summary>Values that satisfy all of these schemas. What is referred to becomes a rule and is called.</summary>
    /// <param name="schemas">None means any value.</param>
    /// <param name="leadingOf">The rule that begins with this value, if one does.</param>
    /// <param name="depth">How deep in the schema this is.</param>
    private Fragment Value(IReadOnlyList<Located> schemas, int? leadingOf, int depth)
    {
        if (depth > MaximumDepth) throw schemas[0].Error($"the schema is nested deeper than {MaximumDepth}.");
        if (schemas is [{ Refers: true } only] && IsReferenceOnly(only)) schemas = [Followed(only)];
        else if (!schemas.Any(s => s.Refers)) return Parts(new Conjunction(schemas), leadingOf, depth);
        var rule = Rule(schemas);
        if (leadingOf is { } leading) _leading[leading].Calls.Add(rule);
        return _nfa.Calling(rule);
    }

    private Fragment Parts(Conjunction all, int? leadingOf, int depth)
    {
        if (all.IsNever) return _nfa.New();
        if (all.Unions.Count > 0) return Union(all, leadingOf, depth);
        if (all.HasAny("enum", "const")) return Literals(all);
        if (all.IsAnything) return _nfa.Calling(AnyValue);
        var types = all.Types();
        var fragments = new List<Fragment>();
        if (types.HasFlag(JsonTypes.Object)) fragments.Add(Object(all, depth + 1));
        if (types.HasFlag(JsonTypes.Array)) fragments.Add(Array(all, depth + 1));
        if (types.HasFlag(JsonTypes.String)) fragments.Add(_nfa.Calling(String(all)));
        if (types.HasFlag(JsonTypes.Fraction) || types.HasFlag(JsonTypes.Integer)) fragments.Add(Number(all, types));
        if (types.HasFlag(JsonTypes.Boolean)) fragments.AddRange([_nfa.Text("true"), _nfa.Text("false")]);
        if (types.HasFlag(JsonTypes.Null)) fragments.Add(_nfa.Text("null"));
        return _nfa.Either(fragments);
    }

    /// <summary>One branch of each choice, together with what stands beside it. oneOf is taken as anyOf: a text that satisfies two branches
    /// can only be told when it is whole.</summary>
    private Fragment Union(Conjunction all, int? leadingOf, int depth)
    {
        var rest = all.Parts.Select(p => p with { IsFlat = true }).Where(Constrains).ToList();
        var combinations = new List<List<Located>> { rest };
        foreach (var union in all.Unions)
        {
            if ((long)combinations.Count * union.Count > MaximumBranches)
                throw all.Parts[0].Error($"anyOf and oneOf together have more than {MaximumBranches} combinations.");
            combinations = [.. combinations.SelectMany(c => union.Select(b => (List<Located>)[.. c, b]))];
        }
        return _nfa.Either(combinations.Select(c => Value(c, leadingOf, depth + 1)));
    }

    private Fragment Literals(Conjunction all)
    {
        HashSet<string>? texts = null;
        foreach (var (part, value) in all.All("enum"))
        {
            if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
                throw part.Error($"enum is {value.GetRawText()}; expected a list of at least one value.");
            Keep(value.EnumerateArray());
        }
        foreach (var (_, value) in all.All("const")) Keep([value]);
        if (all.HasAny("properties", "items", "prefixItems", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum",
            "exclusiveMaximum", "minItems", "maxItems", "required"))
            throw all.Parts[0].Error("enum or const stands beside other conditions; leave out the values that fail them, and the conditions.");
        return _nfa.Either(texts!.Select(_nfa.Text));

        void Keep(IEnumerable<JsonElement> values)
        {
            var kept = values.Where(v => (TypeOf(v) & all.Types()) != 0).Select(JsonStringWriter.Text);
            texts = texts is null ? [.. kept] : [.. texts.Intersect(kept)];
        }
    }

    private static JsonTypes TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => JsonTypes.Null,
        JsonValueKind.True or JsonValueKind.False => JsonTypes.Boolean,
        JsonValueKind.String => JsonTypes.String,
        JsonValueKind.Array => JsonTypes.Array,
        JsonValueKind.Object => JsonTypes.Object,
        _ => value.TryGetDecimal(out var number) && number == decimal.Floor(number) ? JsonTypes.Integer : JsonTypes.Fraction,
    };

    private static bool IsReferenceOnly(Located schema) =>
        schema.Schema.EnumerateObject().All(p => p.Name == "$ref" || IsAnnotation(p.Name));

    private static bool Constrains(Located schema) => schema.Schema.EnumerateObject()
        .Any(p => p.Name is not ("anyOf" or "oneOf" or "allOf" or "$ref") && !IsAnnotation(p.Name));

    private static bool IsAnnotation(string keyword) => keyword is "title" or "description" or "default" or "examples" or "example"
        or "deprecated" or "readOnly" or "writeOnly" or "discriminator" or "$schema" or "$id" or "$comment" or "$defs" or "definitions";

    /// <summary>The first schema on the way of references that is more than a reference.</summary>
    private Located Followed(Located schema)
    {
        var seen = new HashSet<string>();
        while (schema.Refers && IsReferenceOnly(schema))
        {
            if (!seen.Add(schema.Pointer)) throw schema.Error("the schema refers to itself without consuming anything.");
            schema = schema.Resolve();
        }
        return schema;
    }

    private void RefuseEndlessReferences()
    {
        var done = new HashSet<int>();
        foreach (var rule in _leading.Keys) Follow(rule, []);

        void Follow(int rule, List<int> path)
        {
            if (path.Contains(rule))
                throw new GrammarException($"{_leading[rule].Pointer}: the schema refers to itself without consuming anything.");
            if (path.Count > MaximumRules || !done.Add(rule)) return;
            path.Add(rule);
            foreach (var called in _leading[rule].Calls) Follow(called, path);
            path.RemoveAt(path.Count - 1);
        }
    }
}
