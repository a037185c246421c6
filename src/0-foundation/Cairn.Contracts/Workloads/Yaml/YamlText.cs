using System.Globalization;
using System.Text;

namespace Cairn.Contracts.Workloads.Yaml;

/// <summary>
/// Writes block YAML that reads back as the same text, whatever the text is: plain where nothing can be misread, else quoted or a block.
/// </summary>
internal sealed class YamlText
{
    private readonly StringBuilder _text = new();
    private int _indent;
    private bool _afterDash;

    public override string ToString() => _text.ToString();

    public void Field(string name, string? value)
    {
        if (value is not null)
            Line($"{Scalar(name)}: {Scalar(value)}");
    }

    /// <summary>A value that the writer itself made and that needs no quotes.</summary>
    public void Bare(string name, string value) => Line($"{name}: {value}");

    /// <summary>A script as a literal block where that can hold it.</summary>
    public void Script(string name, string? script)
    {
        if (script is null)
            return;
        if (!FitsBlock(script))
        {
            Field(name, script);
            return;
        }

        var body = script.TrimEnd('\n');
        var chomping = (script.Length - body.Length) switch { 0 => "-", 1 => "", _ => "+" };
        Line($"{name}: |{chomping}");
        var lines = chomping == "+" ? script[..^1] : body;
        foreach (var line in lines.Split('\n'))
            _text.Append(line.Length == 0 ? "" : new string(' ', _indent + 2)).Append(line).Append('\n');
    }

    public void Map(string name, Action content)
    {
        Line($"{Scalar(name)}:");
        Indented(content);
    }

    /// <summary>A mapping that is left out where it has nothing in it.</summary>
    public void Section(string name, Action content)
    {
        var before = _text.Length;
        Map(name, content);
        if (_text.Length == before + _indent + name.Length + 2)
            _text.Length = before;
    }

    /// <summary>Entries of words to words; nothing where there are none.</summary>
    public void Words(string name, IReadOnlyDictionary<string, string> words)
    {
        if (words.Count > 0)
            Map(name, () => words.OrderBy(word => word.Key, StringComparer.Ordinal).ToList().ForEach(word => Field(word.Key, word.Value)));
    }

    /// <summary>A list on one line; nothing where it is empty.</summary>
    public void Words(string name, IEnumerable<string> words)
    {
        var list = string.Join(", ", words.Select(Scalar));
        if (list.Length > 0)
            Line($"{name}: [{list}]");
    }

    public void List<T>(string name, IReadOnlyList<T> items, Action<T> content)
    {
        if (items.Count == 0)
            return;
        Line($"{name}:");
        _indent += 2;
        foreach (var item in items)
        {
            _text.Append(' ', _indent).Append("- ");
            _afterDash = true;
            Indented(() => content(item));
            if (_afterDash)
                _text.Append("{}\n");
            _afterDash = false;
        }

        _indent -= 2;
    }

    /// <summary>Plain where the text can only be read as itself, in a flow list too; else in double quotes.</summary>
    public static string Scalar(string text) => IsPlain(text) ? text : Quoted(text);

    private void Indented(Action content)
    {
        _indent += 2;
        content();
        _indent -= 2;
    }

    private void Line(string line)
    {
        if (!_afterDash)
            _text.Append(' ', _indent);
        _afterDash = false;
        _text.Append(line).Append('\n');
    }

    private static bool IsPlain(string text)
    {
        if (text.Length is 0 or > 200 || !(char.IsAsciiLetterOrDigit(text[0]) || text[0] is '.' or '/' or '$' or '_'))
            return false;
        if (text.AsSpan().IndexOfAnyExcept("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/$+*%=~@<>() :-") >= 0)
            return false;
        // A sign after a blank may start an alias or another indicator for a reader, also where YAML itself would not see one.
        for (var blank = text.IndexOf(' ', StringComparison.Ordinal); blank >= 0 && blank + 1 < text.Length; blank = text.IndexOf(' ', blank + 1))
        {
            if (!char.IsAsciiLetterOrDigit(text[blank + 1]) && text[blank + 1] is not ('.' or '/' or '$' or '_'))
                return false;
        }

        return text[^1] is not (' ' or ':') && !text.Contains(": ", StringComparison.Ordinal)
            && !text.StartsWith("...", StringComparison.Ordinal)
            && text.ToLowerInvariant() is not ("null" or "true" or "false" or "yes" or "no" or "on" or "off" or "y" or "n");
    }

    /// <summary>Lines of printable text whose first does not start with a blank, which would be read as indentation.</summary>
    private static bool FitsBlock(string script) =>
        script.Contains('\n') && script[0] is not (' ' or '\n' or '\t')
        && script.All(c => c is '\n' or '\t' || (!char.IsControl(c)
            && c is not ('\u2028' or '\u2029' or '\uFEFF' or '\uFFFE' or '\uFFFF') && !char.IsSurrogate(c)))
        && script.Split('\n').All(line => line.Length == 0 || !string.IsNullOrWhiteSpace(line));

    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\n' => quoted.Append("\\n"),
                '\t' => quoted.Append("\\t"),
                '\r' => quoted.Append("\\r"),
                _ when char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF' or '\uFFFE' or '\uFFFF' =>
                    quoted.Append("\\u").Append(((int)c).ToString("X4", CultureInfo.InvariantCulture)),
                _ => quoted.Append(c),
            };
        }

        return quoted.Append('"').ToString();
    }
}
