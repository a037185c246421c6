using System.Globalization;
using System.Text.Json;

namespace Cairn.Frameworks.Constraining.JsonSchemas;

/// <summary>A whole schema.</summary>
/// <param name="Schema">An object or a boolean.</param>
/// <param name="Name">Begins all its pointers.</param>
internal sealed record SchemaRoot(JsonElement Schema, string Name)
{
    public Located Located => new(Schema, Name, this);
}

/// <summary>A schema and where it stands in the whole (RFC 6901, as a URI fragment without percent signs).</summary>
/// <param name="Schema">An object or a boolean.</param>
/// <param name="Pointer"><c>#</c> is the whole; where several schemas are compiled together each has its own words before it.</param>
/// <param name="Root">What references count from.</param>
/// <param name="IsFlat">Its $ref and allOf are already followed, its anyOf and oneOf chosen from: they count no more.</param>
internal readonly record struct Located(JsonElement Schema, string Pointer, SchemaRoot Root, bool IsFlat = false)
{
    /// <summary>Whether it has a reference still to be followed.</summary>
    public bool Refers => !IsFlat && Keyword("$ref") is not null;

    public Located At(JsonElement child, params ReadOnlySpan<string> steps)
    {
        var pointer = Pointer;
        foreach (var step in steps)
            pointer += "/" + step.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
        return new Located(child, pointer, Root);
    }

    public JsonElement? Keyword(string name) =>
        Schema.ValueKind == JsonValueKind.Object && Schema.TryGetProperty(name, out var value) ? value : null;

    public GrammarException Error(string message) => new($"{Pointer}: {message}");

    /// <summary>What a local reference means.</summary>
    public Located Resolve()
    {
        if (Keyword("$ref") is not { ValueKind: JsonValueKind.String } value) throw Error("$ref is not a text.");
        var reference = value.GetString()!;
        if (reference != "#" && !reference.StartsWith("#/", StringComparison.Ordinal))
            throw Error($"$ref is '{reference}'; only references into the same schema are taken, such as '#/$defs/name'.");
        var target = Root.Located;
        foreach (var part in Uri.UnescapeDataString(reference).Split('/')[1..])
        {
            var step = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (Child(target.Schema, step) is not { } child) throw Error($"$ref is '{reference}', but the schema has nothing there.");
            target = target.At(child, step);
        }
        return target;
    }

    private static JsonElement? Child(JsonElement parent, string step)
    {
        if (parent.ValueKind == JsonValueKind.Object) return parent.TryGetProperty(step, out var child) ? child : null;
        return parent.ValueKind == JsonValueKind.Array && int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && index < parent.GetArrayLength() ? parent[index] : null;
    }
}
