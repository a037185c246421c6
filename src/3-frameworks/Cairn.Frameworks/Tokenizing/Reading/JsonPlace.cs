using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace Cairn.Frameworks.Tokenizing.Reading;

/// <summary>
/// A value in a tokenizer's file that knows where it is, so that every complaint names file, path, value and what was expected.
/// </summary>
internal readonly struct JsonPlace
{
    private const int ShownCharacters = 80;
    private readonly string _file;
    private readonly string _around;
    private readonly string? _name;
    private readonly int _index;
    private readonly JsonElement _value;

    public JsonPlace(string file, JsonElement root) : this(file, "$", null, -1, root)
    {
    }

    private JsonPlace(string file, string around, string? name, int index, JsonElement value)
    {
        _file = file;
        _around = around;
        _name = name;
        _index = index;
        _value = value;
    }

    public JsonElement Value => _value;

    /// <summary>Put together when it is asked for: a vocabulary has a hundred thousand places, and few are complained of.</summary>
    private string Path => _name is not null ? $"{_around}.{Shorten(_name)}" : _index >= 0
        ? string.Create(CultureInfo.InvariantCulture, $"{_around}[{_index}]") : _around;

    public JsonPlace Field(string name) =>
        Optional(name) ?? throw new TokenizerFormatException($"{_file}: {Path}.{name} is missing; expected a value.");

    /// <summary>Null where the field is absent or null.</summary>
    public JsonPlace? Optional(string name)
    {
        if (_value.ValueKind != JsonValueKind.Object) throw Wrong("an object");
        return _value.TryGetProperty(name, out var found) && found.ValueKind != JsonValueKind.Null
            ? new JsonPlace(_file, Path, name, -1, found)
            : null;
    }

    public string Kind() => Field("type").Text();

    public string Text() => _value.ValueKind == JsonValueKind.String ? _value.GetString()! : throw Wrong("a string");

    public string? OptionalText(string name) => Optional(name)?.Text();

    public bool Flag() => _value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong("true or false"),
    };

    public bool Flag(string name, bool otherwise) => Optional(name)?.Flag() ?? otherwise;

    public int Whole(int least, int most) =>
        _value.ValueKind == JsonValueKind.Number && _value.TryGetInt32(out var number) && number >= least && number <= most
            ? number
            : throw Wrong($"a whole number from {least} to {most}");

    public int Whole(string name, int otherwise, int least, int most) => Optional(name)?.Whole(least, most) ?? otherwise;

    public double Real() =>
        _value.ValueKind == JsonValueKind.Number && _value.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : throw Wrong("a finite number");

    public int Count => _value.ValueKind == JsonValueKind.Array ? _value.GetArrayLength() : throw Wrong("a list");

    public IEnumerable<JsonPlace> Items()
    {
        if (_value.ValueKind != JsonValueKind.Array) throw Wrong("a list");
        return Each(this);

        static IEnumerable<JsonPlace> Each(JsonPlace self)
        {
            var (path, index) = (self.Path, 0);
            foreach (var item in self._value.EnumerateArray()) yield return new JsonPlace(self._file, path, null, index++, item);
        }
    }

    public IEnumerable<(string Name, JsonPlace Value)> Fields()
    {
        if (_value.ValueKind != JsonValueKind.Object) throw Wrong("an object");
        return Each(this);

        static IEnumerable<(string, JsonPlace)> Each(JsonPlace self)
        {
            var path = self.Path;
            foreach (var field in self._value.EnumerateObject())
            {
                var name = field.Name;
                yield return (name, new JsonPlace(self._file, path, name, -1, field.Value));
            }
        }
    }

    /// <summary>The complaint to throw when this value is not what was expected.</summary>
    public TokenizerFormatException Wrong(string expected, Exception? inner = null) =>
        new($"{_file}: {Path} is {Shown()}; expected {expected}.", inner);

    [DoesNotReturn]
    public void Refuse(string expected) => throw Wrong(expected);

    private string Shown() => _value.ValueKind == JsonValueKind.Undefined ? "absent" : Shorten(_value.GetRawText());

    private static string Shorten(string text) => text.Length <= ShownCharacters ? text : text[..ShownCharacters] + "…";
}
