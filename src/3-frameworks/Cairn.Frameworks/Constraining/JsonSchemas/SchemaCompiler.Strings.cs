using System.Text.Json;
using Cairn.Frameworks.Constraining.Automata;
using Cairn.Frameworks.Constraining.Regexes;

namespace Cairn.Frameworks.Constraining.JsonSchemas;

internal sealed partial class SchemaCompiler
{
    private const int MaximumCharactersOfString = 16_384, MaximumStatesOfString = 20_000;
    private int _chains;

    private int AnyString => Shared("any string", () =>
    {
        var (whole, body) = (_nfa.New(), _nfa.State());
        _nfa.Range(whole.Start, '"', '"', body);
        PlainCharacter(body, body);
        OtherCharacter(body, body);
        _nfa.Range(body, '"', '"', whole.End);
        return whole;
    });

    /// <summary>One character beyond ASCII, or an escape: called, so that each state of a counted string is one state.</summary>
    private int AnyOtherCharacter => Shared("a character", () =>
    {
        var one = _nfa.New();
        OtherCharacter(one.Start, one.End);
        return one;
    });

    private int String(Conjunction all)
    {
        var (minimum, maximum) = (all.Count("minLength", Math.Max) ?? 0, all.Count("maxLength", Math.Min));
        if (minimum > MaximumCharactersOfString || (maximum is { } many && many > MaximumCharactersOfString))
            throw all.Parts[0].Error($"minLength or maxLength is above {MaximumCharactersOfString}, which cannot be held; leave it out.");
        var patterns = all.All("pattern").Select(p => p.Value.ValueKind == JsonValueKind.String
                ? (p.Part, Pattern: p.Value.GetString()!, Anywhere: true)
                : throw p.Part.Error($"pattern is {p.Value.GetRawText()}; expected a text."))
            .Concat(all.All("format").Where(f => Formats.PatternOf(f.Value) is not null)
                .Select(f => (f.Part, Pattern: Formats.PatternOf(f.Value)!, Anywhere: false)))
            .DistinctBy(p => (p.Pattern, p.Anywhere)).ToList();
        if (patterns.Count == 0 && minimum == 0 && maximum is null) return AnyString;
        var name = $"string {minimum} {maximum} {string.Join(' ', patterns.Select(p => $"{p.Pattern.Length}:{p.Pattern} {p.Anywhere}"))}";
        return Shared(name, () => patterns.Count == 0 ? Counted(minimum, maximum) : Matching(patterns, minimum, maximum));
    }

    private Fragment Matching(List<(Located Part, string Pattern, bool Anywhere)> patterns, int minimum, int? maximum)
    {
        var writer = new RegexWriter(_nfa, new JsonStringWriter(_nfa));
        Fragment? content = null;
        foreach (var (part, pattern, anywhere) in patterns)
        {
            try
            {
                var fragment = writer.Whole(RegexParser.Parse(pattern), anywhere);
                content = content is { } other ? Dfa.Both(_nfa, other, fragment, MaximumStatesOfString) : fragment;
            }
            catch (GrammarException e)
            {
                throw part.Error($"pattern or format: {e.Message}");
            }
        }
        if (minimum > 0 || maximum is not null)
        {
            var any = new RegexNode.Set(CodeSet.All);
            var length = writer.Whole(new RegexNode.Repeat(any, minimum, maximum), false);
            content = Dfa.Both(_nfa, content!.Value, length, MaximumStatesOfString);
        }
        return _nfa.Sequence(_nfa.Text("\""), content!.Value, _nfa.Text("\""));
    }

    private Fragment Counted(int minimum, int? maximum)
    {
        var (whole, body) = (_nfa.New(), _nfa.State());
        _nfa.Range(whole.Start, '"', '"', body);
        var (short_, long_) = (_chains++, _chains++);
        for (var i = 0; i < (maximum ?? minimum); i++)
        {
            // No character is shorter than a byte, so at least so many bytes remain until the rules change.
            if (i < minimum) _nfa.Tag(body, short_, minimum - i);
            else _nfa.Tag(body, long_, maximum!.Value - i);
            if (i >= minimum) _nfa.Range(body, '"', '"', whole.End);
            var next = _nfa.State();
            PlainCharacter(body, next);
            _nfa.Call(body, AnyOtherCharacter, next);
            body = next;
        }
        if (minimum <= (maximum ?? minimum)) _nfa.Range(body, '"', '"', whole.End);
        if (maximum is null)
        {
            PlainCharacter(body, body);
            _nfa.Call(body, AnyOtherCharacter, body);
        }
        return whole;
    }

    private void PlainCharacter(int from, int to)
    {
        _nfa.Range(from, 0x20, 0x21, to);
        _nfa.Range(from, 0x23, 0x5B, to);
        _nfa.Range(from, 0x5D, 0x7F, to);
    }

    /// <summary>Beyond ASCII, or escaped in any way that RFC 8259 §7 has; surrogates only in pairs.</summary>
    private void OtherCharacter(int from, int to)
    {
        new Utf8Writer(_nfa).Write(from, new CodeSet([(0x80, CodeSet.Last)]), to);
        var (escape, code) = (_nfa.State(), _nfa.State());
        _nfa.Range(from, '\\', '\\', escape);
        foreach (var letter in "\"\\/bfnrt") _nfa.Range(escape, letter, letter, to);
        _nfa.Range(escape, 'u', 'u', code);
        const string Any = "0123456789abcdefABCDEF";
        Digits(code, ["0123456789abcefABCEF", Any, Any, Any], to);
        Digits(code, ["dD", "01234567", Any, Any], to);
        var (high, low) = (_nfa.State(), _nfa.State());
        Digits(code, ["dD", "89abAB", Any, Any], high);
        _nfa.Text(high, "\\u"u8, low);
        Digits(low, ["dD", "cdefCDEF", Any, Any], to);
    }

    private void Digits(int from, ReadOnlySpan<string> choices, int to)
    {
        for (var i = 0; i < choices.Length; i++)
        {
            var next = i == choices.Length - 1 ? to : _nfa.State();
            foreach (var digit in choices[i]) _nfa.Range(from, digit, digit, next);
            from = next;
        }
    }
}
