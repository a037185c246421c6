using System.Globalization;
using System.Text;

namespace Cairn.Frameworks.Tokenizing.Patterns;

/// <summary>Reads the part of Oniguruma's syntax that tokenizers use. What it does not know it refuses by name and position.</summary>
internal sealed class PatternParser
{
    private const int MostDepth = 64;
    private const int MostRepeats = 1000;
    private readonly string _source;
    private int _at;
    private int _depth;
    private bool _ignoreCase;
    private bool _dotAll;

    private PatternParser(string source) => _source = source;

    /// <exception cref="FormatException">The pattern is malformed, or uses what is not supported.</exception>
    public static PatternNode Parse(string source)
    {
        var parser = new PatternParser(source);
        var node = parser.Choice();
        return parser.AtEnd ? node : throw parser.Wrong("has a ')' without its '('");
    }

    private bool AtEnd => _at >= _source.Length;

    private char Next => AtEnd ? '\0' : _source[_at];

    private FormatException Wrong(string problem) => new($"the pattern {problem} at character {_at + 1}");

    private bool Take(string text)
    {
        if (string.CompareOrdinal(_source, _at, text, 0, text.Length) != 0) return false;
        _at += text.Length;
        return true;
    }

    private int TakeCodePoint()
    {
        if (AtEnd) throw Wrong("ends too early");
        var rune = Rune.TryGetRuneAt(_source, _at, out var found) ? found : Rune.ReplacementChar;
        _at += rune.Utf16SequenceLength;
        return rune.Value;
    }

    private PatternNode Choice()
    {
        if (++_depth > MostDepth) throw Wrong($"nests deeper than {MostDepth} groups");
        var (ignoreCase, dotAll) = (_ignoreCase, _dotAll);
        var parts = new List<PatternNode> { Row() };
        while (Take("|")) parts.Add(Row());
        (_ignoreCase, _dotAll) = (ignoreCase, dotAll);
        _depth--;
        return parts.Count == 1 ? parts[0] : new PatternNode.Choice(parts);
    }

    private PatternNode Row()
    {
        var parts = new List<PatternNode>();
        while (!AtEnd && Next is not ('|' or ')'))
        {
            if (Atom() is { } atom) parts.Add(Repeated(atom));
        }
        return parts.Count == 1 ? parts[0] : new PatternNode.Row(parts);
    }

    private PatternNode Repeated(PatternNode atom)
    {
        while (true)
        {
            int least, most;
            if (Take("*")) (least, most) = (0, int.MaxValue);
            else if (Take("+")) (least, most) = (1, int.MaxValue);
            else if (Take("?")) (least, most) = (0, 1);
            else if (!Counted(out least, out most)) return atom;
            var greed = Take("?") ? Greed.Lazy : Take("+") ? Greed.Possessive : Greed.Greedy;
            if (atom is not PatternNode.One && atom.MayBeEmpty
                && most > 1) throw Wrong("repeats something that may be empty, which is not supported,");
            atom = new PatternNode.Repeat(atom, least, most, greed);
        }
    }

    private bool Counted(out int least, out int most)
    {
        (least, most) = (0, 0);
        var close = Next == '{' ? _source.IndexOf('}', _at) : -1;
        if (close < 0) return false;
        var parts = _source[(_at + 1)..close].Split(',');
        if (parts.Length > 2 || parts.All(part => part.Length == 0) || !parts.All(part => part.All(char.IsAsciiDigit))) return false;
        least = Number(parts[0], 0);
        most = parts.Length == 1 ? least : Number(parts[1], int.MaxValue);
        if (least > MostRepeats || most < least || (most > MostRepeats
            && most != int.MaxValue)) throw Wrong($"repeats beyond 0 to {MostRepeats}");
        _at = close + 1;
        return true;

        static int Number(string digits, int otherwise) =>
            digits.Length == 0 ? otherwise : int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                ? value : MostRepeats + 1;
    }

    private PatternNode? Atom()
    {
        switch (Next)
        {
            case '(':
                _at++;
                return Group();
            case '[':
                _at++;
                return new PatternNode.One(Class().Seal());
            case '.':
                _at++;
                return new PatternNode.One(_dotAll ? UnicodeClasses.Any : UnicodeClasses.NotNewline);
            case '^':
                _at++;
                return new PatternNode.At(Edge.LineStart);
            case '$':
                _at++;
                return new PatternNode.At(Edge.LineEnd);
            case '*' or '+' or '?':
                throw Wrong("repeats nothing");
            case '\\':
                _at++;
                return Escape();
            default:
                return Literal(TakeCodePoint());
        }
    }

    private PatternNode.One Literal(int codePoint) => new(Single(codePoint).Seal());

    private CodePointSet Single(int codePoint) => Range(codePoint, codePoint);

    private CodePointSet Range(int low, int high)
    {
        var set = CodePointSet.Of((low, high));
        if (_ignoreCase) SimpleCase.AddVariants(set, low, high);
        return set;
    }

    private PatternNode? Group()
    {
        if (Take("?:")) return Inside();
        if (Take("?=")) return new PatternNode.Look(Inside(), Behind: false, Negated: false);
        if (Take("?!")) return new PatternNode.Look(Inside(), Behind: false, Negated: true);
        if (Take("?<=")) return Behind(negated: false);
        if (Take("?<!")) return Behind(negated: true);
        if (Take("?>")) return new PatternNode.Atomic(Inside());
        if (Take("?<") || Take("?P<"))
        {
            while (!AtEnd && Next != '>') _at++;
            _at++;
            return Inside();
        }
        return Take("?") ? Flags() : Inside();
    }

    private PatternNode.Look Behind(bool negated)
    {
        var body = Inside();
        return body.Width is null ? throw Wrong("looks behind over a varying length, which is not supported,")
            : new PatternNode.Look(body, true, negated);
    }

    private PatternNode Inside()
    {
        var node = Choice();
        return Take(")") ? node : throw Wrong("lacks a ')'");
    }

    /// <summary><c>(?i)</c> for the rest of the enclosing group, <c>(?i:…)</c> for its own.</summary>
    private PatternNode? Flags()
    {
        var (ignoreCase, dotAll) = (_ignoreCase, _dotAll);
        for (var on = true; ; _at++)
        {
            switch (Next)
            {
                case '-': on = false; break;
                case 'i': ignoreCase = on; break;
                case 's': dotAll = on; break;
                case 'm' or 'u': break;
                case ')':
                    _at++;
                    (_ignoreCase, _dotAll) = (ignoreCase, dotAll);
                    return null;
                case ':':
                    _at++;
                    var outer = (_ignoreCase, _dotAll);
                    (_ignoreCase, _dotAll) = (ignoreCase, dotAll);
                    var body = Inside();
                    (_ignoreCase, _dotAll) = outer;
                    return body;
                default:
                    throw Wrong($"has the unsupported group '(?{Next}'");
            }
        }
    }

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
        if (_at + digits > _source.Length || !int.TryParse(_source.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture,
                out var value) || value is < 0 or > 0x10FFFF)
            throw Wrong("has a malformed code point");
        _at += digits + (braced ? 1 : 0);
        return value;
    }

    /// <summary>After the opening bracket, to its closing one.</summary>
    private CodePointSet Class()
    {
        if (++_depth > MostDepth) throw Wrong($"nests deeper than {MostDepth} classes");
        var negated = Take("^");
        var set = new CodePointSet();
        var cut = new List<CodePointSet>();
        for (var first = true; first || Next != ']'; first = false)
        {
            if (AtEnd) throw Wrong("lacks a ']'");
            if (Take("&&"))
            {
                cut.Add(set);
                set = new CodePointSet();
            }
            else if (Take("[:"))
            {
                set.Add(Posix());
            }
            else if (Take("["))
            {
                set.Add(Class());
            }
            else
            {
                ClassItem(set);
            }
        }
        _at++;
        _depth--;
        foreach (var part in cut) set = new CodePointSet().Add(set).Cut(part);
        return negated ? set.Negated() : set;
    }

    private CodePointSet Posix()
    {
        var negated = Take("^");
        var close = _source.IndexOf(":]", _at, StringComparison.Ordinal);
        if (close < 0) throw Wrong("has an unfinished POSIX class");
        var named = UnicodeClasses.Named(_source[_at..close]) ?? throw Wrong($"names the unknown class '{_source[_at..close]}'");
        _at = close + 2;
        return negated ? named.Negated() : named;
    }

    private void ClassItem(CodePointSet set)
    {
        int low;
        if (Take("\\"))
        {
            if (NamedClass() is { } named)
            {
                set.Add(named);
                return;
            }
            low = Take("b") ? 8 : EscapedCodePoint();
        }
        else
        {
            low = TakeCodePoint();
        }
        if (Next != '-' || _at + 1 >= _source.Length || _source[_at + 1] is ']' or '[')
        {
            set.Add(Single(low));
            return;
        }
        _at++;
        var high = Take("\\") ? EscapedCodePoint() : TakeCodePoint();
        if (high < low) throw Wrong("has a range whose end comes before its start");
        set.Add(Range(low, high));
    }
}
