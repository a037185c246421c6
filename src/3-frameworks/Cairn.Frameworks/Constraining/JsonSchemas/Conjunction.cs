using System.Text.Json;

namespace Cairn.Frameworks.Constraining.JsonSchemas;

[Flags]
internal enum JsonTypes
{
    None = 0, Null = 1, Boolean = 2, Integer = 4, Fraction = 8, String = 16, Array = 32, Object = 64,
    Number = Integer | Fraction, All = 127,
}

/// <summary>Schemas that one value must satisfy all, with references and allOf followed. A single schema is the usual case.</summary>
internal sealed class Conjunction
{
    private static readonly string[] Unholdable =
    [
        "not", "if", "then", "else", "patternProperties", "propertyNames", "dependentRequired", "dependentSchemas", "dependencies",
        "contains", "minContains", "maxContains", "unevaluatedItems", "$dynamicRef", "$recursiveRef",
    ];

    private readonly List<Located> _parts = [];

    public Conjunction(IEnumerable<Located> schemas)
    {
        foreach (var schema in schemas) Flatten(schema, []);
    }

    /// <summary>Objects without references; conditions of all hold together.</summary>
    public IReadOnlyList<Located> Parts => _parts;

    /// <summary>Choices still to be made: of each, one.</summary>
    public List<IReadOnlyList<Located>> Unions { get; } = [];

    /// <summary>A schema among them is <c>false</c>.</summary>
    public bool IsNever { get; private set; }

    /// <summary>The values of a keyword, with the schema each stands in.</summary>
    public IEnumerable<(Located Part, JsonElement Value)> All(string keyword) =>
        _parts.Where(p => p.Keyword(keyword) is not null).Select(p => (p, p.Keyword(keyword)!.Value));

    public bool HasAny(params ReadOnlySpan<string> keywords)
    {
        foreach (var keyword in keywords)
            if (All(keyword).Any()) return true;
        return false;
    }

    /// <summary>A count; the strictest where several are given.</summary>
    public int? Count(string keyword, Func<int, int, int> strictest)
    {
        int? count = null;
        foreach (var (part, value) in All(keyword))
        {
            if (value.ValueKind != JsonValueKind.Number || !value.TryGetDecimal(out var number) || number < 0 || number % 1 != 0)
                throw part.Error($"{keyword} is {value.GetRawText()}; expected a whole number, 0 or more.");
            var bounded = (int)Math.Min(number, int.MaxValue);
            count = count is { } other ? strictest(other, bounded) : bounded;
        }
        return count;
    }

    /// <summary>The types that all parts take. Where none names types, those that the other keywords speak of.</summary>
    public JsonTypes Types()
    {
        var types = JsonTypes.All;
        foreach (var part in _parts)
            if (part.Keyword("type") is { } type) types &= Named(part, type);
        return !HasAny("type") && SpokenOf() is var spoken and not JsonTypes.None ? spoken : types;
    }

    /// <summary>Whether every value will do.</summary>
    public bool IsAnything => Types() == JsonTypes.All && SpokenOf() == JsonTypes.None;

    private JsonTypes SpokenOf()
    {
        var types = JsonTypes.None;
        if (HasAny("properties", "required", "additionalProperties", "minProperties", "maxProperties")) types |= JsonTypes.Object;
        if (HasAny("items", "prefixItems", "minItems", "maxItems")) types |= JsonTypes.Array;
        var hasFormat = All("format").Any(f => Formats.PatternOf(f.Value) is not null);
        if (hasFormat || HasAny("minLength", "maxLength", "pattern")) types |= JsonTypes.String;
        if (HasAny("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")) types |= JsonTypes.Number;
        return types;
    }

    private static JsonTypes Named(Located part, JsonElement type)
    {
        var names = type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().ToArray() : [type];
        var types = part.Keyword("nullable") is { ValueKind: JsonValueKind.True } ? JsonTypes.Null : JsonTypes.None;
        foreach (var name in names)
        {
            types |= (name.ValueKind == JsonValueKind.String ? name.GetString() : null) switch
            {
                "null" => JsonTypes.Null,
                "boolean" => JsonTypes.Boolean,
                "integer" => JsonTypes.Integer,
                "number" => JsonTypes.Number,
                "string" => JsonTypes.String,
                "array" => JsonTypes.Array,
                "object" => JsonTypes.Object,
                _ => throw part.Error($"type is {name.GetRawText()}; expected null, boolean, integer, number, string, array or object."),
            };
        }
        return types;
    }

    private void Flatten(Located schema, List<string> path)
    {
        switch (schema.Schema.ValueKind)
        {
            case JsonValueKind.True: return;
            case JsonValueKind.False: IsNever = true; return;
            case JsonValueKind.Object: break;
            case var kind: throw schema.Error($"a schema is an object or a boolean, not {kind.ToString().ToLowerInvariant()}.");
        }
        if (path.Contains(schema.Pointer)) throw schema.Error("the schema refers to itself without consuming anything.");
        if (_parts.Any(p => p.Pointer == schema.Pointer)) return;
        if (schema.IsFlat)
        {
            _parts.Add(schema);
            return;
        }
        path.Add(schema.Pointer);
        RefuseUnholdable(schema);
        if (schema.Keyword("$ref") is not null) Flatten(schema.Resolve(), path);
        foreach (var part in Branches(schema, "allOf")) Flatten(part, path);
        path.RemoveAt(path.Count - 1);
        _parts.Add(schema);
        foreach (var keyword in new[] { "anyOf", "oneOf" })
            if (Branches(schema, keyword) is { Count: > 0 } branches) Unions.Add(branches);
    }

    private static List<Located> Branches(Located schema, string keyword)
    {
        if (schema.Keyword(keyword) is not { } list) return [];
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
            throw schema.Error($"{keyword} is {list.GetRawText()}; expected a list of schemas, at least one.");
        return [.. list.EnumerateArray().Select((b, i) => schema.At(b, keyword, $"{i}"))];
    }

    private static void RefuseUnholdable(Located schema)
    {
        foreach (var keyword in Unholdable)
            if (schema.Keyword(keyword) is not null) throw schema.Error($"{keyword} cannot be held while generating; leave it out.");
        if (schema.Keyword("uniqueItems") is { ValueKind: not JsonValueKind.False })
            throw schema.Error("uniqueItems cannot be held while generating; leave it out.");
        // What is not declared is never said, so nothing stays unevaluated.
        if (schema.Keyword("unevaluatedProperties") is { ValueKind: not (JsonValueKind.False or JsonValueKind.True) })
            throw schema.Error("unevaluatedProperties cannot be held while generating; use additionalProperties.");
    }
}
