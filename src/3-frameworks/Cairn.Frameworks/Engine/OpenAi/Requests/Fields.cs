using System.Text.Json;

namespace Cairn.Frameworks.Engine.OpenAi.Requests;

/// <summary>
/// Reads a JSON object's fields with their types and ranges. The first mistake is kept and told with its path; after it everything reads as
/// absent, so a parser reads straight through and looks for the error once. A null counts as absent, as OpenAI's clients mean it.
/// </summary>
internal sealed class Fields
{
    private readonly JsonElement _object;
    private readonly string _path;
    private readonly Mistake _mistake;

    public Fields(JsonElement root)
        : this(root, "", new Mistake())
    {
    }

    private Fields(JsonElement element, string path, Mistake mistake) => (_object, _path, _mistake) = (element, path, mistake);

    public OpenAiError? Error => _mistake.First;

    public JsonElement Element => _object;

    public string PathOf(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    public void Refuse(string name, string message, string? code = null) =>
        _mistake.First ??= OpenAiError.Invalid(PathOf(name), message, code);

    public bool TryGet(string name, out JsonElement value)
    {
        value = default;
        return _mistake.First is null && _object.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
    }

    public bool Has(string name) => TryGet(name, out _);

    public bool? Flag(string name)
    {
        if (!TryGet(name, out var value))
            return null;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        WrongKind(name, value, "true or false");
        return null;
    }

    public long? Integer(string name, long least, long most)
    {
        if (!TryGet(name, out var value))
            return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var number))
        {
            WrongKind(name, value, "an integer");
            return null;
        }

        if (number < least || number > most)
            Refuse(name, $"{PathOf(name)} is {number}; expected {Range(least, most)}.");
        return number;
    }

    public double? Number(string name, double least, double most)
    {
        if (!TryGet(name, out var value))
            return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var number))
        {
            WrongKind(name, value, "a number");
            return null;
        }

        if (!(number >= least && number <= most))
            Refuse(name, string.Create(System.Globalization.CultureInfo.InvariantCulture,
                $"{PathOf(name)} is {number}; expected {least} to {most}."));
        return number;
    }

    public string? Text(string name, int longest = int.MaxValue)
    {
        if (!TryGet(name, out var value))
            return null;
        if (value.ValueKind != JsonValueKind.String)
        {
            WrongKind(name, value, "a text");
            return null;
        }

        var text = value.GetString()!;
        if (text.Length > longest)
            Refuse(name, $"{PathOf(name)} has {text.Length} characters; expected at most {longest}.");
        return text;
    }

    public string? OneOf(string name, params ReadOnlySpan<string> words)
    {
        if (Text(name) is not { } text)
            return null;
        if (words.Contains(text))
            return text;
        Refuse(name, $"{PathOf(name)} is '{Short(text)}'; expected {string.Join(", ", words.ToArray())}.");
        return null;
    }

    /// <summary>Null where absent or wrong.</summary>
    public Fields? Object(string name)
    {
        if (!TryGet(name, out var value))
            return null;
        if (value.ValueKind == JsonValueKind.Object)
            return new Fields(value, PathOf(name), _mistake);
        WrongKind(name, value, "an object");
        return null;
    }

    /// <summary>Objects in an array; empty where absent or wrong.</summary>
    public IReadOnlyList<Fields> Objects(string name, int most)
    {
        var items = Array(name, most);
        var result = new List<Fields>(items.Count);
        for (var i = 0; i < items.Count; i++)
        {
            if (items[i].ValueKind != JsonValueKind.Object)
            {
                WrongKind($"{name}[{i}]", items[i], "an object");
                return [];
            }

            result.Add(new Fields(items[i], $"{PathOf(name)}[{i}]", _mistake));
        }

        return result;
    }

    /// <summary>The items of an array; empty where absent or wrong.</summary>
    public IReadOnlyList<JsonElement> Array(string name, int most)
    {
        if (!TryGet(name, out var value))
            return [];
        if (value.ValueKind != JsonValueKind.Array)
        {
            WrongKind(name, value, "an array");
            return [];
        }

        if (value.GetArrayLength() > most)
        {
            Refuse(name, $"{PathOf(name)} has {value.GetArrayLength()} items; expected at most {most}.");
            return [];
        }

        return [.. value.EnumerateArray()];
    }

    public void WrongKind(string name, JsonElement value, string expected) =>
        Refuse(name, $"{PathOf(name)} is {Kind(value)}; expected {expected}.", "invalid_type");

    public static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "the number " + Short(value.GetRawText()),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Null => "null",
        JsonValueKind.Array => "an array",
        _ => "an object",
    };

    public static string Short(string text) => text.Length <= 64 ? text : text[..61] + "…";

    private static string Range(long least, long most) => most >= int.MaxValue ? $"at least {least}" : $"{least} to {most}";

    private sealed class Mistake
    {
        public OpenAiError? First { get; set; }
    }
}
