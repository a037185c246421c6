using System.Globalization;

namespace Cairn.Frameworks.Constraining.Regexes;

/// <summary>The common core of ECMAScript's and RE2's syntax.</summary>
internal sealed partial class RegexParser
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
        if (parts.Length is 0 or > 2 || Count(parts[0]) is not { } minimum) return null;
        int? maximum = parts.Length == 1 ? minimum : null;
        if (parts is [_, { Length: > 0 } upper])
        {
            maximum = Count(upper);
            if (maximum is null) return null;
        }
        if (minimum > (maximum ?? minimum)) throw Error("a quantifier whose minimum is above its maximum");
        if (Math.Max(minimum, maximum ?? 0) > MaximumCount) throw Error($"a count above {MaximumCount}");
        _at = close + 1;
        return (minimum, maximum);
    }

    private static int? Count(string digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;

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
        if (_at + 1 < _pattern.Length && _pattern[_at + 1] is (>= '1' and <= '9') or 'k')
            throw Error("a back-reference; it cannot be held");
        return new RegexNode.Set(Cased(EscapedSet()));
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
