using System.Text;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>The words of protobuf's text format.</summary>
internal sealed class TextFormatTokens
{
    private readonly string _text;
    private readonly string _file;
    private int _at;
    private int _start;

    public TextFormatTokens(string text, string file)
    {
        (_text, _file) = (text, file);
        Next();
    }

    /// <summary>The word at hand; empty at the end. A string keeps its quotes.</summary>
    public string Current { get; private set; } = "";

    public ModelLoadException Error(string message)
    {
        var line = 1 + _text.AsSpan(0, Math.Min(_start, _text.Length)).Count('\n');
        return new($"{_file}, line {line}: {message}");
    }

    public bool Skip(string word)
    {
        if (Current != word)
            return false;
        Next();
        return true;
    }

    public void Next()
    {
        SkipBlanks();
        _start = _at;
        if (_at >= _text.Length)
        {
            Current = "";
            return;
        }

        var c = _text[_at];
        if (c is '"' or '\'')
        {
            for (_at++; _at < _text.Length && _text[_at] != c && _text[_at] != '\n'; _at++)
                if (_text[_at] == '\\')
                    _at++;
            if (_at >= _text.Length || _text[_at] != c)
                throw Error("a string is not closed");
            _at++;
        }
        else if (char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '+' or '.')
        {
            while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '_' or '-' or '+' or '.'))
                _at++;
        }
        else
            _at++;
        Current = _text[_start.._at];
    }

    /// <summary>A string's content; neighbouring strings are one.</summary>
    public string String()
    {
        if (Current.Length < 2 || Current[0] is not ('"' or '\''))
            throw Error($"a string in quotes is expected, not '{Current}'");
        var value = new StringBuilder();
        while (Current.Length > 1 && Current[0] is '"' or '\'')
        {
            Unescape(Current.AsSpan(1, Current.Length - 2), value);
            Next();
        }

        return value.ToString();
    }

    private void Unescape(ReadOnlySpan<char> quoted, StringBuilder value)
    {
        for (var i = 0; i < quoted.Length; i++)
        {
            if (quoted[i] != '\\')
            {
                value.Append(quoted[i]);
                continue;
            }

            i++;
            value.Append(quoted[i] switch
            {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '\\' or '"' or '\'' => quoted[i],
                _ => throw Error($"the escape \\{quoted[i]} is not known"),
            });
        }
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length)
        {
            if (_text[_at] == '#')
                while (_at < _text.Length && _text[_at] != '\n')
                    _at++;
            else if (char.IsWhiteSpace(_text[_at]))
                _at++;
            else
                return;
        }
    }
}
