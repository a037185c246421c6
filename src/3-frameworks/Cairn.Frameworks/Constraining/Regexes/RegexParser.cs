using System.Globalization;
using System.Text;

namespace Cairn.Frameworks.Constraining.Regexes;

/// <summary>The common core of ECMAScript's and RE2's syntax.</summary>
internal sealed class RegexParser
{
    private const int MaximumLength = 16_384, MaximumDepth = 64, MaximumCount = 10_000;
    private readonly string _pattern;
    private int _at;
    private int _depth;
    private bool _ignoreCase;

    private RegexParser(string pattern) => _pattern = pattern;

    public static RegexNode Parse(string pattern)
    {
        if (pattern.Length > MaximumLength)
            throw new GrammarException($"The expression has {pattern.Length} characters; at most {MaximumLength} are taken.");
        var parser = new RegexParser(pattern);
        if (pattern.StartsWith("(?i)", StringComparison.Ordinal)) (parser._at, parser._ignoreCase) = (4, true);
        var node = parser.Alternatives();
        return parser._at == pattern.Length ? node : throw parser.Error("an unopened ')'");
    }

    private RegexNode Alternatives()
    {
        if (++_depth > MaximumDepth) throw Error($"groups nested deeper than {MaximumDepth}");
        var parts = new List<RegexNode> { Sequence() };
        while (Take('|')) parts.Add(Sequence());
        _depth--;
        return parts.Count == 1 ? parts[0] : new RegexNode.Alternatives(parts);
    }

    private RegexNode.Sequence Sequence()
    {
        var parts = new List<RegexNode>();
        while (_at < _pattern.Length && _pattern[_at] is not ('|' or ')')) parts.Add(Quantified());
        return new RegexNode.Sequence(parts);
    }

    private RegexNode Quantified()
    {
        var atom = Atom();
        while (Quantifier() is var (minimum, maximum))
        {
            if (atom is RegexNode.Anchor) throw Error("a quantifier after an anchor");
            atom = new RegexNode.Repeat(atom, minimum, maximum);
            Take('?'); // lazy matching takes the same texts
            if (_at < _pattern.Length && _pattern[_at] == '+') throw Error("a possessive quantifier; leave out the second '+'");
        }
        return atom;
    }

    private (int Minimum, int? Maximum)? Quantifier()
    {
        if (Take('*')) return (0, null);
        if (Take('+')) return (1, null);
        if (Take('?')) return (0, 1);
        if (_at == _pattern.Length || _pattern[_at] != '{') return null;
        var close = _pattern.IndexOf('}', _at);
        var parts = close < 0 ? [] : _pattern[(_at + 1)..close].Split(',');
        if (parts.Length is 0 or > 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var minimum)) return null;
        int? maximum = parts.Length == 1 ? minimum : null;
        if (parts is [_, { Length: > 0 } upper])
        {
            if (!int.TryParse(upper, NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return null;
            maximum = value;
        }
        if (minimum > (maximum ?? minimum)) throw Error("a quantifier whose minimum is above its maximum");
        if (Math.Max(minimum, maximum ?? 0) > MaximumCount) throw Error($"a count above {MaximumCount}");
        _at = close + 1;
        return (minimum, maximum);
    }

    private RegexNode Atom()
    {
        var character = _pattern[_at];
        switch (character)
        {
            case '(': return Group();
            case '[': return new RegexNode.Set(Cased(Class()));
            case '.': _at++; return new RegexNode.Set(CodeSet.LineEnd.Negated());
            case '^' or '$': _at++; return new RegexNode.Anchor(character == '^');
            case '*' or '+' or '?': throw Error($"a '{character}' with nothing before it");
            case '\\': return Escape();
            default: return new RegexNode.Set(Cased(CodeSet.Of(Point())));
        }
    }

    private RegexNode Group()
    {
        var start = _at++;
        if (Take('?'))
        {
            var name = _pattern.IndexOf('>', _at);
            if (!Take(':'))
            {
                var named = Ahead("P<") || (Ahead("<") && !Ahead("<=") && !Ahead("<!"));
                if (!named || name < 0) throw Error("a look-around, flag or other extension; only (…), (?:…) and (?<name>…) are taken");
                _at = name + 1;
            }
        }
        var node = Alternatives();
        if (Take(')')) return node;
        _at = start;
        throw Error("a group that is not closed");
    }

    private RegexNode Escape()
    {
        if (Ahead(@"\b") || Ahead(@"\B")) throw Error(@"a word boundary (\b); it cannot be held");
        if (Ahead(@"\A") || Ahead(@"\z") || Ahead(@"\Z"))
        {
            _at += 2;
            return new RegexNode.Anchor(_pattern[_at - 1] == 'A');
        }
        if (_at + 1 < _pattern.Length && _pattern[_at + 1] is (>= '1' and <= '9') or 'k') throw Error("a back-reference; it cannot be held");
        return new RegexNode.Set(Cased(EscapedSet()));
    }

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

    private CodeSet Cased(CodeSet set) => _ignoreCase ? set.IgnoringCase() : set;
    private bool Ahead(string text) => string.CompareOrdinal(_pattern, _at, text, 0, text.Length) == 0;

    private bool Take(char character)
    {
        if (_at >= _pattern.Length || _pattern[_at] != character) return false;
        _at++;
        return true;
    }

    private GrammarException Error(string found) => new($"The expression has {found}, at character {_at + 1} of {_pattern}");
}
