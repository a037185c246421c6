namespace Cairn.Frameworks.Tokenizing.Splitting;

/// <summary>What becomes of the text that a splitter matched.</summary>
internal enum CutBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous }

/// <summary>A text in stretches that match and stretches that do not, and how they become pieces.</summary>
internal sealed class Cuts
{
    private readonly record struct Stretch(int Start, int End, bool Matched);

    private readonly List<Stretch> _stretches = [];

    /// <summary>Stretches are added from left to right without gaps; empty ones are passed over.</summary>
    public void Add(int start, int end, bool matched)
    {
        if (start < end) _stretches.Add(new Stretch(start, end, matched));
    }

    public void Emit(ReadOnlySpan<char> text, bool first, CutBehavior behavior, PieceSink next)
    {
        foreach (var stretch in behavior switch
        {
            CutBehavior.Removed => _stretches.FindAll(one => !one.Matched),
            CutBehavior.Contiguous => Contiguous(),
            CutBehavior.MergedWithPrevious => MergedWithPrevious(),
            CutBehavior.MergedWithNext => MergedWithNext(),
            _ => _stretches,
        })
        {
            next(text[stretch.Start..stretch.End], first && stretch.Start == 0);
        }
    }

    private List<Stretch> Contiguous()
    {
        var joined = new List<Stretch>(_stretches.Count);
        foreach (var stretch in _stretches)
        {
            if (joined.Count > 0 && joined[^1].Matched == stretch.Matched) joined[^1] = joined[^1] with { End = stretch.End };
            else joined.Add(stretch);
        }
        return joined;
    }

    private List<Stretch> MergedWithPrevious()
    {
        var joined = new List<Stretch>(_stretches.Count);
        var lastMatched = false;
        foreach (var stretch in _stretches)
        {
            if (stretch.Matched && !lastMatched && joined.Count > 0) joined[^1] = joined[^1] with { End = stretch.End };
            else joined.Add(stretch);
            lastMatched = stretch.Matched;
        }
        return joined;
    }

    private List<Stretch> MergedWithNext()
    {
        var joined = new List<Stretch>(_stretches.Count);
        for (var i = 0; i < _stretches.Count; i++)
        {
            // Of several matches in a row only the last one joins what comes after.
            if (_stretches[i].Matched && i + 1 < _stretches.Count && !_stretches[i + 1].Matched)
            {
                joined.Add(new Stretch(_stretches[i].Start, _stretches[i + 1].End, false));
                i++;
            }
            else
            {
                joined.Add(_stretches[i]);
            }
        }
        return joined;
    }
}
