using System.Globalization;

namespace Cairn.Frameworks.Tokenizing.Patterns;

// What follows a backslash: an edge, a class of characters, or one character.
internal sealed partial class PatternParser
{
    private PatternNode Escape()
    {
        var edge = Next switch
        {
            'A' => Edge.TextStart,
            'z' => Edge.TextEnd,
            'Z' => Edge.TextEndOrLastNewline,
            'b' => Edge.Word,
            'B' => Edge.NotWord,
            _ => (Edge?)null,
        };
        if (edge is { } found)
        {
            _at++;
            return new PatternNode.At(found);
        }
        if (NamedClass() is { } set) return new PatternNode.One(set.Seal());
        return Literal(EscapedCodePoint());
    }

    private CodePointSet? NamedClass()
    {
        var letter = Next;
        CodePointSet? set = letter switch
        {
            's' => UnicodeClasses.Space,
            'S' => UnicodeClasses.Space.Negated(),
            'd' => UnicodeClasses.Digit,
            'D' => UnicodeClasses.Digit.Negated(),
            'w' => UnicodeClasses.PatternWord,
            'W' => UnicodeClasses.PatternWord.Negated(),
            _ => null,
        };
        if (set is not null)
        {
            _at++;
            return set;
        }
        if (letter is not ('p' or 'P')) return null;
        _at++;
        var name = Next.ToString();
        var close = Next == '{' ? _source.IndexOf('}', _at) : _at;
        if (close < 0 || AtEnd) throw Wrong("has an unfinished \\p");
        if (Next == '{') name = _source[(_at + 1)..close];
        var negated = letter == 'P' != name.StartsWith('^');
        var named = UnicodeClasses.Named(name.TrimStart('^')) ?? throw Wrong($"names the unknown class '{name}'");
        _at = close + 1;
        if (_ignoreCase && name is ("Lu" or "Ll" or "Lt")) named = UnicodeClasses.Named("LC")!;
        return negated ? named.Negated() : named;
    }

    private int EscapedCodePoint()
    {
        var letter = TakeCodePoint();
        return letter switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\f',
            'v' => '\v',
            'a' => 7,
            'e' => 27,
            '0' => 0,
            'u' => Hexadecimal(4),
            'U' => Hexadecimal(8),
            'x' => Next == '{' ? Hexadecimal(0) : Hexadecimal(2),
            _ when letter < 128 && char.IsAsciiLetterOrDigit((char)letter) => throw Wrong($"has the unsupported escape '\\{(char)letter}'"),
            _ => letter,
        };
    }

    private int Hexadecimal(int digits)
    {
        if (digits == 0 || Next == '{')
        {
            var close = _source.IndexOf('}', _at);
            if (close < 0) throw Wrong("has an unfinished code point");
            _at++;
            digits = close - _at;
        }
        var braced = _at > 0 && _source[_at - 1] == '{';
        if (_at + digits > _source.Length
            || !int.TryParse(_source.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            || value is < 0 or > 0x10FFFF)
            throw Wrong("has a malformed code point");
        _at += digits + (braced ? 1 : 0);
        return value;
    }
}
