using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Cairn.Frameworks.Tokenizing.Reading;

/// <summary>A value in a tokenizer's file that knows where it is, so that every complaint names file, path, value and what was expected.</summary>
internal readonly struct JsonPlace(string file, string path, JsonElement value)
{
    private const int ShownCharacters = 80;

    public JsonElement Value => value;

    public string Path => path;

    public bool IsNull => value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    public JsonPlace Field(string name) =>
        Optional(name) ?? throw new TokenizerFormatException($"{file}: {path}.{name} is missing; expected a value.");

    /// <summary>Null where the field is absent or null.</summary>
    public JsonPlace? Optional(string name)
    {
        if (value.ValueKind != JsonValueKind.Object) throw Wrong("an object");
        return value.TryGetProperty(name, out var found) && found.ValueKind != JsonValueKind.Null
            ? new JsonPlace(file, $"{path}.{name}", found)
            : null;
    }

    public string Kind() => Field("type").Text();

    public string Text() => value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong("a string");

    public string? OptionalText(string name) => Optional(name)?.Text();

    public bool Flag() => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong("true or false"),
    };

    public bool Flag(string name, bool otherwise) => Optional(name)?.Flag() ?? otherwise;

    public int Whole(int least, int most) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least && number <= most
            ? number
            : throw Wrong($"a whole number from {least} to {most}");

    public int Whole(string name, int otherwise, int least, int most) => Optional(name)?.Whole(least, most) ?? otherwise;

    public double Real() =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : throw Wrong("a finite number");

    public int Count => value.ValueKind == JsonValueKind.Array ? value.GetArrayLength() : throw Wrong("a list");

    public IEnumerable<JsonPlace> Items()
    {
        if (value.ValueKind != JsonValueKind.Array) throw Wrong("a list");
        return Each(this);

        static IEnumerable<JsonPlace> Each(JsonPlace self)
        {
            var index = 0;
            foreach (var item in self.Value.EnumerateArray()) yield return self.At($"[{index++}]", item);
        }
    }

    public IEnumerable<(string Name, JsonPlace Value)> Fields()
    {
        if (value.ValueKind != JsonValueKind.Object) throw Wrong("an object");
        return Each(this);

        static IEnumerable<(string, JsonPlace)> Each(JsonPlace self)
        {
            foreach (var field in self.Value.EnumerateObject()) yield return (field.Name, self.At($".{Shorten(field.Name)}", field.Value));
        }
    }

    /// <summary>The complaint to throw when this value is not what was expected.</summary>
    public TokenizerFormatException Wrong(string expected, Exception? inner = null) =>
        new($"{file}: {path} is {Shown()}; expected {expected}.", inner);

    [DoesNotReturn]
    public void Refuse(string expected) => throw Wrong(expected);

    private JsonPlace At(string step, JsonElement item) => new(file, path + step, item);

    private string Shown() => value.ValueKind == JsonValueKind.Undefined ? "absent" : Shorten(value.GetRawText());

    private static string Shorten(string text) => text.Length <= ShownCharacters ? text : text[..ShownCharacters] + "…";
}
