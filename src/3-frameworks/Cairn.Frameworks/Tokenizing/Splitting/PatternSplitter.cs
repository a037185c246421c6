using Cairn.Frameworks.Tokenizing.Patterns;

namespace Cairn.Frameworks.Tokenizing.Splitting;

/// <summary>Cuts at the matches of a pattern or, inverted, at what lies between them.</summary>
internal sealed class PatternSplitter(Pattern pattern, CutBehavior behavior, bool invert) : Splitter
{
    public override void Split(ReadOnlySpan<char> text, bool first, PieceSink next)
    {
        var search = pattern.In(text);
        if (behavior == CutBehavior.Isolated || (behavior == CutBehavior.Removed && invert))
        {
            // The two that need no memory of their neighbours, and what nearly every tokenizer uses.
            var done = 0;
            while (search.Next(out var start, out var end))
            {
                if (behavior == CutBehavior.Isolated && start > done) next(text[done..start], first && done == 0);
                next(text[start..end], first && start == 0);
                done = end;
            }
            if (behavior == CutBehavior.Isolated && done < text.Length) next(text[done..], first && done == 0);
            return;
        }
        var cuts = new Cuts();
        var last = 0;
        while (search.Next(out var start, out var end))
        {
            cuts.Add(last, start, invert);
            cuts.Add(start, end, !invert);
            last = end;
        }
        cuts.Add(last, text.Length, invert);
        cuts.Emit(text, first, behavior, next);
    }
}

/// <summary>Cuts at every occurrence of a fixed text or, inverted, at what lies between them.</summary>
internal sealed class TextSplitter(string delimiter, CutBehavior behavior, bool invert) : Splitter
{
    public override void Split(ReadOnlySpan<char> text, bool first, PieceSink next)
    {
        var cuts = new Cuts();
        var last = 0;
        for (int found; (found = text[last..].IndexOf(delimiter, StringComparison.Ordinal)) >= 0; last += found + delimiter.Length)
        {
            cuts.Add(last, last + found, invert);
            cuts.Add(last + found, last + found + delimiter.Length, !invert);
        }
        cuts.Add(last, text.Length, invert);
        cuts.Emit(text, first, behavior, next);
    }
}

/// <summary>Cuts at every character of a class.</summary>
internal sealed class ClassSplitter(CodePointSet set, CutBehavior behavior) : Splitter
{
    public override void Split(ReadOnlySpan<char> text, bool first, PieceSink next)
    {
        var cuts = new Cuts();
        var (last, at) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            var width = rune.Utf16SequenceLength;
            if (set.Contains(rune.Value))
            {
                cuts.Add(last, at, false);
                cuts.Add(at, at + width, true);
                last = at + width;
            }
            at += width;
        }
        cuts.Add(last, text.Length, false);
        cuts.Emit(text, first, behavior, next);
    }
}
