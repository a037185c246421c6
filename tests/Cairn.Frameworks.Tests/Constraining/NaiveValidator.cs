using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Cairn.Frameworks.Tests.Constraining;

/// <summary>JSON Schema by its definition, for the keywords that grammars hold.</summary>
internal static class NaiveValidator
{
    public static bool IsValid(JsonElement schema, JsonElement value, JsonElement root)
    {
        if (schema.ValueKind == JsonValueKind.True) return true;
        if (schema.ValueKind == JsonValueKind.False) return false;
        return schema.EnumerateObject().All(k => Holds(schema, k.Name, k.Value, value, root));
    }

    private static bool Holds(JsonElement schema, string keyword, JsonElement k, JsonElement value, JsonElement root)
    {
        bool Valid(JsonElement s) => IsValid(s, value, root);
        switch (keyword)
        {
            case "$ref": return Valid(Resolve(root, k.GetString()!));
            case "allOf": return k.EnumerateArray().All(Valid);
            case "anyOf" or "oneOf": return k.EnumerateArray().Any(Valid);
            case "enum": return k.EnumerateArray().Any(e => JsonElement.DeepEquals(e, value));
            case "const": return JsonElement.DeepEquals(k, value);
            case "type":
                var nullable = schema.TryGetProperty("nullable", out var n) && n.GetBoolean();
                return (nullable && value.ValueKind == JsonValueKind.Null)
                    || (k.ValueKind == JsonValueKind.Array ? k.EnumerateArray().ToArray() : [k]).Any(t => IsOfType(t.GetString()!, value));
        }
        return value.ValueKind switch
        {
            JsonValueKind.String => String(keyword, k, value.GetString()!),
            JsonValueKind.Number => Number(keyword, k, Decimal(value)),
            JsonValueKind.Array => Array(schema, keyword, k, value, root),
            JsonValueKind.Object => Object(schema, keyword, k, value, root),
            _ => true,
        };
    }

    private static bool IsOfType(string type, JsonElement value) => type switch
    {
        "null" => value.ValueKind == JsonValueKind.Null,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "string" => value.ValueKind == JsonValueKind.String,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && Decimal(value) % 1 == 0,
        "array" => value.ValueKind == JsonValueKind.Array,
        "object" => value.ValueKind == JsonValueKind.Object,
        _ => throw new InvalidOperationException(type),
    };

    /// <summary>Beyond what decimals hold every number that a grammar says is whole, and outside of every bound in the tests.</summary>
    private static decimal Decimal(JsonElement value) =>
        value.TryGetDecimal(out var number) ? number : value.GetDouble() > 0 ? decimal.MaxValue : decimal.MinValue;

    private static bool String(string keyword, JsonElement k, string value) => keyword switch
    {
        "minLength" => value.EnumerateRunes().Count() >= k.GetInt32(),
        "maxLength" => value.EnumerateRunes().Count() <= k.GetInt32(),
        "pattern" => Regex.IsMatch(value, k.GetString()!.Replace("$", "\\z", StringComparison.Ordinal)),
        "format" => k.GetString() switch
        {
            "date" => DateOnly.TryParseExact(value.StartsWith("0000", StringComparison.Ordinal) ? "2000" + value[4..] : value,
                "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
            "uuid" => Guid.TryParseExact(value, "D", out _),
            "ipv4" or "ipv6" => System.Net.IPAddress.TryParse(value, out var address) && (k.GetString() == "ipv6") == value.Contains(':')
                && address is not null,
            "time" => DateTimeOffset.TryParse("2020-01-01T" + value[..8] + "Z", CultureInfo.InvariantCulture, out _),
            "date-time" => DateOnly.TryParseExact(value.StartsWith("0000", StringComparison.Ordinal) ? "2000" + value[4..10] : value[..10],
                "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
            "email" => System.Net.Mail.MailAddress.TryCreate(value, out _),
            "duration" => IsDuration(value),
            _ => true,
        },
        _ => true,
    };

    private static bool IsDuration(string value)
    {
        try
        {
            System.Xml.XmlConvert.ToTimeSpan(value.Contains('W') ? value.Replace('W', 'D') : value);
            return true;
        }
        catch (FormatException) { return false; }
    }

    private static bool Number(string keyword, JsonElement k, decimal value) => keyword switch
    {
        "minimum" => value >= k.GetDecimal(),
        "maximum" => value <= k.GetDecimal(),
        "exclusiveMinimum" => value > k.GetDecimal(),
        "exclusiveMaximum" => value < k.GetDecimal(),
        _ => true,
    };

    private static bool Array(JsonElement schema, string keyword, JsonElement k, JsonElement value, JsonElement root)
    {
        var tuple = schema.TryGetProperty("prefixItems", out var prefix) ? prefix.GetArrayLength() : 0;
        return keyword switch
        {
            "minItems" => value.GetArrayLength() >= k.GetInt32(),
            "maxItems" => value.GetArrayLength() <= k.GetInt32(),
            "prefixItems" => k.EnumerateArray().Zip(value.EnumerateArray()).All(p => IsValid(p.First, p.Second, root)),
            "items" => value.EnumerateArray().Skip(tuple).All(v => IsValid(k, v, root)),
            _ => true,
        };
    }

    private static bool Object(JsonElement schema, string keyword, JsonElement k, JsonElement value, JsonElement root) => keyword switch
    {
        "required" => k.EnumerateArray().All(r => value.TryGetProperty(r.GetString()!, out _)),
        "properties" => value.EnumerateObject().All(p => !k.TryGetProperty(p.Name, out var s) || IsValid(s, p.Value, root)),
        "additionalProperties" => value.EnumerateObject().All(p =>
            (schema.TryGetProperty("properties", out var own) && own.TryGetProperty(p.Name, out _)) || IsValid(k, p.Value, root)),
        "minProperties" => value.EnumerateObject().Count() >= k.GetInt32(),
        "maxProperties" => value.EnumerateObject().Count() <= k.GetInt32(),
        _ => true,
    };

    private static JsonElement Resolve(JsonElement root, string reference) =>
        reference.Split('/').Skip(1).Aggregate(root, (at, step) => at.GetProperty(step));
}
