using System.Globalization;
using System.Numerics;
using System.Text;

namespace Cairn.Frameworks.ChatTemplates.Syntax;

/// <summary>
/// Cuts a template into tokens, with Jinja's white-space control as the transformers library sets it: <c>trim_blocks</c> and
/// <c>lstrip_blocks</c> are on, and one newline at the template's end goes.
/// </summary>
internal sealed class Lexer
{
    private static readonly string[] Operators =
        ["**", "//", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "|", ".", ",", ":", "(", ")", "[", "]", "{", "}", "=", ">", "<",
            ";"];

    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _at;
    private int _line = 1;
    private int _lineStart;
    private bool _lineStarting = true;

    private Lexer(string source)
    {
        source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        _source = source.EndsWith('\n') ? source[..^1] : source;
    }

    /// <exception cref="ChatTemplateException">A tag is not closed, or has a character that no expression has.</exception>
    public static List<Token> Tokenize(string source)
    {
        var lexer = new Lexer(source);
        while (lexer._at < lexer._source.Length) lexer.Data();
        lexer.Add(TokenKind.End, "");
        return lexer._tokens;
    }

    private ChatTemplateException Wrong(string problem) => new($"Chat template, line {_line}, column {_at - _lineStart + 1}: {problem}.");

    private void Add(TokenKind kind, string text, object? value = null) =>
        _tokens.Add(new Token(kind, text, _line, _at - _lineStart + 1, value));

    private void MoveTo(int position)
    {
        for (; _at < position; _at++)
        {
            if (_source[_at] != '\n') continue;
            _line++;
            _lineStart = _at + 1;
        }
    }

    private bool At(string text) => string.CompareOrdinal(_source, _at, text, 0, text.Length) == 0;

    private void Data()
    {
        var open = _at;
        while ((open = _source.IndexOf('{', open)) >= 0 && (open + 1 >= _source.Length
            || _source[open + 1] is not ('{' or '%' or '#'))) open++;
        if (open < 0) open = _source.Length;
        var data = _source[_at..open];
        var kind = open < _source.Length ? _source[open + 1] : '\0';
        var sign = open + 2 < _source.Length ? _source[open + 2] : '\0';
        if (sign == '-' && kind != '\0') data = data.TrimEnd();
        else if (sign != '+' && kind is '%' or '#' && sign != '+') data = WithoutIndent(data);
        if (data.Length > 0) Add(TokenKind.Data, data);
        MoveTo(open);
        if (kind == '\0') return;
        var signed = sign == '-' || (sign == '+' && kind != '{');
        switch (kind)
        {
            case '#':
                Comment();
                break;
            case '%' when Raw(signed):
                break;
            default:
                Add(kind == '%' ? TokenKind.BlockBegin : TokenKind.PrintBegin, "");
                MoveTo(_at + (signed ? 3 : 2));
                Inside(kind == '%');
                break;
        }
    }

    private string WithoutIndent(string data)
    {
        var start = data.LastIndexOf('\n') + 1;
        return (start > 0 || _lineStarting) && data.AsSpan(start).IsWhiteSpace() ? data[..start] : data;
    }

    private void Comment()
    {
        var close = _source.IndexOf("#}", _at + 2, StringComparison.Ordinal);
        if (close < 0) throw Wrong("the comment has no '#}'");
        var sign = close > _at + 2 ? _source[close - 1] : '\0';
        MoveTo(close);
        Close(2, sign, trims: true);
    }

    /// <summary>Goes past a closing tag and the white space that it takes along.</summary>
    private void Close(int length, char sign, bool trims)
    {
        var end = _at + length;
        if (sign == '-')
        {
            while (end < _source.Length && char.IsWhiteSpace(_source[end])) end++;
        }
        else if (sign != '+' && trims && end < _source.Length && _source[end] == '\n')
        {
            end++;
        }
        _lineStarting = _source[end - 1] == '\n';
        MoveTo(end);
    }

    /// <summary><c>{% raw %}</c> to <c>{% endraw %}</c>: data, whatever it looks like.</summary>
    private bool Raw(bool signed)
    {
        var (name, end, sign) = Tag(_at + (signed ? 3 : 2));
        if (name != "raw") return false;
        MoveTo(end - 2);
        Close(2, sign, trims: true);
        var begin = _at;
        for (var open = begin; (open = _source.IndexOf("{%", open, StringComparison.Ordinal)) >= 0; open += 2)
        {
            var mark = open + 2 < _source.Length ? _source[open + 2] : '\0';
            var (closing, closed, closingSign) = Tag(open + (mark is '-' or '+' ? 3 : 2));
            if (closing != "endraw") continue;
            var data = _source[begin..open];
            data = mark == '-' ? data.TrimEnd() : mark == '+' ? data : WithoutIndent(data);
            if (data.Length > 0) Add(TokenKind.Data, data);
            MoveTo(closed - 2);
            Close(2, closingSign, trims: true);
            return true;
        }
        throw Wrong("'raw' has no 'endraw'");
    }

    /// <summary>A tag of one word: the word, the end of the tag, and its sign.</summary>
    private (string Name, int End, char Sign) Tag(int at)
    {
        while (at < _source.Length && char.IsWhiteSpace(_source[at])) at++;
        var begin = at;
        while (at < _source.Length && char.IsAsciiLetter(_source[at])) at++;
        var name = _source[begin..at];
        while (at < _source.Length && char.IsWhiteSpace(_source[at])) at++;
        var sign = at < _source.Length && _source[at] is '-' or '+' ? _source[at++] : '\0';
        return string.CompareOrdinal(_source, at, "%}", 0, 2) == 0 ? (name, at + 2, sign) : ("", at, sign);
    }

    private void Inside(bool block)
    {
        var (close, kind) = block ? ("%}", TokenKind.BlockEnd) : ("}}", TokenKind.PrintEnd);
        var nested = 0;
        while (true)
        {
            while (_at < _source.Length && char.IsWhiteSpace(_source[_at])) MoveTo(_at + 1);
            if (_at >= _source.Length) throw Wrong($"a tag has no '{close}'");
            var sign = _source[_at] is '-' or '+' ? _source[_at] : '\0';
            if (nested == 0 && (At(close) || (sign == '-' && At("-" + close)) || (sign == '+' && block && At("+" + close))))
            {
                Add(kind, close);
                if (At(close)) sign = '\0';
                else MoveTo(_at + 1);
                Close(2, sign, trims: block);
                return;
            }
            nested += One();
        }
    }

    /// <summary>Reads one token; answers by how much it changes the depth of brackets.</summary>
    private int One()
    {
        var c = _source[_at];
        if (c is '\'' or '"')
        {
            Quoted(c);
            return 0;
        }
        if (char.IsAsciiDigit(c))
        {
            Number();
            return 0;
        }
        if (char.IsLetter(c) || c == '_')
        {
            var end = _at;
            while (end < _source.Length && (char.IsLetterOrDigit(_source[end]) || _source[end] == '_')) end++;
            Add(TokenKind.Name, _source[_at..end]);
            MoveTo(end);
            return 0;
        }
        var found = Array.Find(Operators, At) ?? throw Wrong($"'{c}' is no part of an expression");
        Add(TokenKind.Operator, found);
        MoveTo(_at + found.Length);
        return found is "(" or "[" or "{" ? 1 : found is ")" or "]" or "}" ? -1 : 0;
    }

    private void Number()
    {
        var end = Digits(_at);
        var real = false;
        if (end + 1 < _source.Length && _source[end] == '.' && char.IsAsciiDigit(_source[end + 1]))
        {
            real = true;
            end = Digits(end + 1);
        }
        var exponent = end + 1 < _source.Length && _source[end] is 'e' or 'E' ? end + (_source[end + 1] is '+' or '-' ? 2 : 1)
            : _source.Length;
        if (exponent < _source.Length && char.IsAsciiDigit(_source[exponent]))
        {
            real = true;
            end = Digits(exponent);
        }
        var text = _source[_at..end].Replace("_", "", StringComparison.Ordinal);
        if (real) Add(TokenKind.Real, text, double.Parse(text, CultureInfo.InvariantCulture));
        else if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var small)) Add(TokenKind.Integer, text, small);
        else if (text.Length <= 1000) Add(TokenKind.Integer, text, BigInteger.Parse(text, CultureInfo.InvariantCulture));
        else throw Wrong("a number has more than 1000 digits");
        MoveTo(end);
    }

    private int Digits(int at)
    {
        while (at < _source.Length && (char.IsAsciiDigit(_source[at])
            || (_source[at] == '_' && at + 1 < _source.Length && char.IsAsciiDigit(_source[at + 1])))) at++;
        return at;
    }

    private void Quoted(char quote)
    {
        var end = _at + 1;
        while (end < _source.Length && _source[end] != quote) end += _source[end] == '\\' ? 2 : 1;
        if (end >= _source.Length) throw Wrong($"a text has no closing {quote}");
        var text = _source[(_at + 1)..end];
        Add(TokenKind.Text, text, text.Contains('\\', StringComparison.Ordinal) ? Unescape(text) : text);
        MoveTo(end + 1);
    }

    private string Unescape(string text)
    {
        var output = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                output.Append(text[i]);
                continue;
            }
            var letter = text[++i];
            var plain = "\\'\"abfnrtv".IndexOf(letter, StringComparison.Ordinal);
            var digits = letter switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
            if (letter == '\n') continue;
            if (plain >= 0) output.Append("\\'\"\a\b\f\n\r\t\v"[plain]);
            else if (letter is >= '0' and <= '7') i = Octal(text, i, output);
            else if (digits > 0) i = Hexadecimal(text, i, digits, output);
            else output.Append('\\').Append(letter);
        }
        return output.ToString();
    }

    private static int Octal(string text, int at, StringBuilder output)
    {
        var (value, end) = (0, at);
        for (; end < text.Length && end < at + 3 && text[end] is >= '0' and <= '7'; end++) value = value * 8 + text[end] - '0';
        output.Append((char)value);
        return end - 1;
    }

    private int Hexadecimal(string text, int at, int digits, StringBuilder output)
    {
        if (at + digits >= text.Length || !int.TryParse(text.AsSpan(at + 1, digits), NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture, out var value)
            || value is < 0 or > 0x10FFFF)
            throw Wrong($"a text has an unfinished '\\{text[at]}'");
        if (value > 0xFFFF) output.Append(char.ConvertFromUtf32(value));
        else output.Append((char)value);
        return at + digits;
    }
}
