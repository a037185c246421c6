using System.Globalization;
using System.Text;

namespace Cairn.Frameworks.Constraining.Regexes;

internal sealed partial class RegexParser
{
    private CodeSet Class()
    {
        var start = _at++;
        var negated = Take('^');
        var sets = new List<CodeSet>();
        for (var first = true; ; first = false)
        {
            if (_at >= _pattern.Length)
            {
                _at = start;
                throw Error("a class that is not closed");
            }
            // RE2 takes a leading ']' as itself, ECMAScript as the end of an empty class; the latter says nothing useful.
            if (_pattern[_at] == ']' && !first) break;
            if (Ahead("[:")) throw Error("a POSIX class; write the range out");
            sets.Add(ClassItem());
        }
        _at++;
        var union = Cased(CodeSet.Union(sets));
        return negated ? union.Negated() : union;
    }

    private CodeSet ClassItem()
    {
        var low = Member();
        if (!Ahead("-") || Ahead("-]") || low.Ranges is not [var (point, same)] || point != same) return low;
        var dash = _at++;
        if (_at >= _pattern.Length) throw Error("a class that is not closed");
        var high = Member();
        if (high.Ranges is [var (last, end)] && last == end)
        {
            if (last >= point) return new CodeSet([(point, last)]);
            _at = dash;
            throw Error("a range whose end is before its beginning");
        }
        return CodeSet.Union([low, CodeSet.Of('-'), high]);
    }

    private CodeSet Member()
    {
        if (!Ahead(@"\b")) return _pattern[_at] == '\\' ? EscapedSet() : CodeSet.Of(Point());
        _at += 2;
        return CodeSet.Of('\b');
    }

    private CodeSet EscapedSet()
    {
        if (++_at >= _pattern.Length) throw Error("a lone backslash at the end");
        var letter = _pattern[_at++];
        switch (letter)
        {
            case 'd': return CodeSet.Digit;
            case 'D': return CodeSet.Digit.Negated();
            case 'w': return CodeSet.Word;
            case 'W': return CodeSet.Word.Negated();
            case 's': return CodeSet.Space;
            case 'S': return CodeSet.Space.Negated();
            case 'n': return CodeSet.Of('\n');
            case 'r': return CodeSet.Of('\r');
            case 't': return CodeSet.Of('\t');
            case 'f': return CodeSet.Of('\f');
            case 'v': return CodeSet.Of('\v');
            case '0': return CodeSet.Of(0);
            case 'x': return Ahead("{") ? CodeSet.Of(Braced()) : CodeSet.Of(Hex(2));
            case 'u': return CodeSet.Of(Ahead("{") ? Braced() : Unicode());
            case 'p' or 'P': return letter == 'p' ? Property() : Property().Negated();
        }
        if (!char.IsAsciiLetterOrDigit(letter))
        {
            _at--;
            return CodeSet.Of(Point());
        }
        _at -= 2;
        throw Error($"an unknown escape '\\{letter}'");
    }

    private CodeSet Property()
    {
        var close = _pattern.IndexOf('}', _at);
        var name = !Ahead("{") ? (_at < _pattern.Length ? _pattern.Substring(_at, 1) : "") : close < 0 ? "" : _pattern[(_at + 1)..close];
        var set = CodeSet.Category(name) ?? throw Error($"the property '{name}'; only general categories such as L, Lu or Nd are taken");
        _at = Ahead("{") ? close + 1 : _at + 1;
        return set;
    }

    private int Unicode()
    {
        var point = Hex(4);
        if (!char.IsHighSurrogate((char)point) || !Ahead(@"\u")) return point;
        var before = _at;
        _at += 2;
        var low = Hex(4);
        if (char.IsLowSurrogate((char)low)) return char.ConvertToUtf32((char)point, (char)low);
        _at = before;
        return point;
    }

    private int Hex(int digits)
    {
        if (_at + digits > _pattern.Length
            || !int.TryParse(_pattern.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            throw Error($"an escape without its {digits} hexadecimal digits");
        _at += digits;
        return value;
    }

    private int Braced()
    {
        var close = _pattern.IndexOf('}', _at);
        if (close < 0 || close - _at > 7) throw Error("an escape whose brace is not closed");
        _at++;
        var value = Hex(close - _at);
        _at = close + 1;
        return value <= CodeSet.Last ? value : throw Error("a code point above 10FFFF");
    }

    private int Point()
    {
        if (Rune.TryGetRuneAt(_pattern, _at, out var rune))
        {
            _at += rune.Utf16SequenceLength;
            return rune.Value;
        }
        throw Error("half a surrogate pair");
    }
}
