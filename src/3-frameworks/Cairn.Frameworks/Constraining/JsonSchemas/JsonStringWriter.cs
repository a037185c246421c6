using System.Text;
using System.Text.Json;
using Cairn.Frameworks.Constraining.Automata;
using Cairn.Frameworks.Constraining.Regexes;

namespace Cairn.Frameworks.Constraining.JsonSchemas;

/// <summary>Characters as JSON writes them inside a string (RFC 8259 §7), each in the one way that serialisers write it: escaped only where
/// it must be.</summary>
internal sealed class JsonStringWriter(Nfa nfa) : CharacterWriter(nfa)
{
    private const string Short = "\b\t\n\f\r\"\\", Letters = "btnfr\"\\";
    private static readonly CodeSet Special = new([(0, 0x1F), ('"', '"'), ('\\', '\\')]);
    private readonly Utf8Writer _plain = new(nfa);

    public override void Write(int from, CodeSet set, int to)
    {
        _plain.Write(from, Without(set, Special), to);
        foreach (var point in Special.Ranges.SelectMany(r => Enumerable.Range(r.Low, r.High - r.Low + 1)))
            if (set.Ranges.Any(r => r.Low <= point && point <= r.High)) Nfa.Text(from, Encoding.ASCII.GetBytes(Escaped((char)point)), to);
    }

    public static CodeSet Without(CodeSet set, CodeSet other) => CodeSet.Union([set.Negated(), other]).Negated();

    /// <summary>A value in compact form, strings as <see cref="Write"/> has them.</summary>
    public static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Quoted(value.GetString()!),
        JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Select(Text))}]",
        JsonValueKind.Object => $"{{{string.Join(',', value.EnumerateObject().Select(p => $"{Quoted(p.Name)}:{Text(p.Value)}"))}}}",
        _ => value.GetRawText(),
    };

    public static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var character in text)
        {
            if (character is < ' ' or '"' or '\\') quoted.Append(Escaped(character));
            else quoted.Append(character);
        }
        return quoted.Append('"').ToString();
    }

    private static string Escaped(char character) =>
        Short.IndexOf(character, StringComparison.Ordinal) is >= 0 and var i ? $"\\{Letters[i]}" : $"\\u{(int)character:x4}";
}
