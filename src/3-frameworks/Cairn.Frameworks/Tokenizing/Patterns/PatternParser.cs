using System.Globalization;
using System.Text;

namespace Cairn.Frameworks.Tokenizing.Patterns;

/// <summary>Reads the part of Oniguruma's syntax that tokenizers use. What it does not know it refuses by name and position.</summary>
internal sealed partial class PatternParser
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
}
