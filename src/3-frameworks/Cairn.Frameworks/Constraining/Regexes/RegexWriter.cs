using Cairn.Frameworks.Constraining.Automata;

namespace Cairn.Frameworks.Constraining.Regexes;

/// <summary>A parsed expression as states.</summary>
internal sealed class RegexWriter(Nfa nfa, CharacterWriter characters)
{
    /// <summary>Texts that match as a whole.</summary>
    public static Fragment Write(Nfa nfa, string pattern) =>
        new RegexWriter(nfa, new Utf8Writer(nfa)).Whole(RegexParser.Parse(pattern), false);

    /// <summary>The expression with its anchors resolved.</summary>
    /// <param name="node">What was parsed.</param>
    /// <param name="anywhere">Whether it may match anywhere in the text where it is not anchored, as JSON Schema's pattern does.</param>
    public Fragment Whole(RegexNode node, bool anywhere)
    {
        if (node is RegexNode.Sequence([RegexNode.Alternatives only])) node = only;
        if (node is RegexNode.Alternatives alternatives) return nfa.Either(alternatives.Parts.Select(p => Whole(p, anywhere)));
        var parts = node is RegexNode.Sequence sequence ? sequence.Parts.ToList() : [node];
        var begins = parts.FindIndex(p => p is not RegexNode.Anchor { IsStart: true });
        var (anchoredStart, anchoredEnd) = (begins != 0 && parts.Count > 0, false);
        parts = begins < 0 ? [] : parts[begins..];
        for (; parts.Count > 0 && parts[^1] is RegexNode.Anchor { IsStart: false }; parts.RemoveAt(parts.Count - 1)) anchoredEnd = true;
        var anything = new RegexNode.Repeat(new RegexNode.Set(CodeSet.All), 0, null);
        if (anywhere && !anchoredStart) parts.Insert(0, anything);
        if (anywhere && !anchoredEnd) parts.Add(anything);
        return Write(new RegexNode.Sequence(parts));
    }

    private Fragment Write(RegexNode node) => node switch
    {
        RegexNode.Set set => One(set.Codes),
        RegexNode.Sequence { Parts.Count: 0 } => nfa.Text(""),
        RegexNode.Sequence sequence => nfa.Sequence([.. sequence.Parts.Select(Write)]),
        RegexNode.Alternatives alternatives => nfa.Either(alternatives.Parts.Select(Write)),
        RegexNode.Repeat repeat => Repeat(repeat),
        _ => throw new GrammarException("The expression has ^ or $ inside; they are taken only at its ends or its outermost alternatives'."),
    };

    private Fragment One(CodeSet set)
    {
        var fragment = nfa.New();
        characters.Write(fragment.Start, set, fragment.End);
        return fragment;
    }

    private Fragment Repeat(RegexNode.Repeat repeat)
    {
        var start = nfa.State();
        var end = start;
        for (var i = 0; i < repeat.Minimum; i++) end = Append(end, repeat.Part);
        if (repeat.Maximum is not { } maximum)
        {
            var (loop, after) = (nfa.State(), nfa.State());
            var part = Write(repeat.Part);
            nfa.Skip(end, loop);
            nfa.Skip(loop, part.Start);
            nfa.Skip(part.End, loop);
            nfa.Skip(loop, after);
            return new Fragment(start, after);
        }
        var done = nfa.State();
        for (var i = repeat.Minimum; i < maximum; i++)
        {
            nfa.Skip(end, done);
            end = Append(end, repeat.Part);
        }
        nfa.Skip(end, done);
        return new Fragment(start, done);
    }

    private int Append(int from, RegexNode part)
    {
        var fragment = Write(part);
        nfa.Skip(from, fragment.Start);
        return fragment.End;
    }
}
