using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Tests.Workloads;

/// <summary>The part of JSON Schema 2020-12 that docs/workload.schema.json uses, over YAML's core schema.</summary>
internal static class SchemaCheck
{
    /// <returns>What is wrong first, or null.</returns>
    public static string? FirstFault(JsonElement root, JsonElement schema, YamlNode node, string path)
    {
        if (schema.ValueKind is JsonValueKind.True)
            return null;
        if (schema.TryGetProperty("$ref", out var reference)
            && FirstFault(root, root.GetProperty("$defs").GetProperty(reference.GetString()![8..]), node, path) is { } inner)
            return inner;
        foreach (var word in (string[])["oneOf", "anyOf"])
        {
            if (!schema.TryGetProperty(word, out var choices))
                continue;
            var fits = choices.EnumerateArray().Count(choice => FirstFault(root, choice, node, path) is null);
            if (fits == 0 || (fits > 1 && word == "oneOf"))
                return $"{path}: {fits} of {word} fit";
        }

        if (schema.TryGetProperty("type", out var type) && !Types(type).Any(name => HasType(node, name)))
            return $"{path}: not {type}";
        if (schema.TryGetProperty("enum", out var words) && !words.EnumerateArray().Any(word => word.GetString() == (node as YamlScalar)?.Text))
            return $"{path}: not in {words}";
        if (schema.TryGetProperty("pattern", out var pattern) && !Regex.IsMatch(((YamlScalar)node).Text, pattern.GetString()!))
            return $"{path}: not {pattern}";
        if (schema.TryGetProperty("minimum", out var min) && Number(node) < min.GetDouble() || schema.TryGetProperty("maximum", out var max) && Number(node) > max.GetDouble())
            return $"{path}: out of range";
        return node switch
        {
            YamlMapping mapping => MappingFault(root, schema, mapping, path),
            YamlSequence list when schema.TryGetProperty("items", out var items) =>
                list.Items.Select((item, index) => FirstFault(root, items, item, $"{path}[{index}]")).FirstOrDefault(fault => fault is not null),
            _ => null,
        };
    }

    private static string? MappingFault(JsonElement root, JsonElement schema, YamlMapping mapping, string path)
    {
        foreach (var name in schema.TryGetProperty("required", out var required) ? required.EnumerateArray() : [])
        {
            if (mapping.Find(name.GetString()!) is null)
                return $"{path}: {name} is missing";
        }

        foreach (var (key, value) in mapping.Entries)
        {
            if (schema.TryGetProperty("patternProperties", out var patterns) && patterns.EnumerateObject().Any(pattern => Regex.IsMatch(key.Text, pattern.Name)))
                continue;
            JsonElement known = default;
            if (!(schema.TryGetProperty("properties", out var properties) && properties.TryGetProperty(key.Text, out known))
                && !schema.TryGetProperty("additionalProperties", out known))
                continue;
            if (known.ValueKind == JsonValueKind.False)
                return $"{path}.{key.Text}: not a property";
            if (FirstFault(root, known, value, $"{path}.{key.Text}") is { } fault)
                return fault;
        }

        return null;
    }

    private static IEnumerable<string> Types(JsonElement type) =>
        type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(one => one.GetString()!) : [type.GetString()!];

    private static bool HasType(YamlNode node, string type) => type switch
    {
        "object" => node is YamlMapping,
        "array" => node is YamlSequence,
        "null" => node is YamlScalar { IsNull: true },
        "boolean" => node is YamlScalar { IsPlain: true, Text: "true" or "false" },
        "integer" => node is YamlScalar { IsPlain: true } && Number(node) is { } number && double.IsInteger(number),
        "number" => node is YamlScalar { IsPlain: true } && Number(node) is not null,
        _ => node is YamlScalar { IsNull: false } text && !(text.IsPlain && (Number(node) is not null || text.Text is "true" or "false")),
    };

    private static double? Number(YamlNode node) =>
        node is YamlScalar scalar && double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
}
