using System.Text;
using Cairn.Frameworks.Constraining.Automata;

namespace Cairn.Frameworks.Constraining.Regexes;

/// <summary>Characters as bytes: as they are, or as JSON writes them inside a string.</summary>
internal abstract class CharacterWriter(Nfa nfa)
{
    protected Nfa Nfa => nfa;

    /// <summary>One character of the set, from a state to a state.</summary>
    public abstract void Write(int from, CodeSet set, int to);
}

/// <summary>Characters as UTF-8. Surrogates are no characters and are left out.</summary>
internal sealed class Utf8Writer(Nfa nfa) : CharacterWriter(nfa)
{
    private static readonly (int Low, int High)[] Lengths =
        [(0, 0x7F), (0x80, 0x7FF), (0x800, 0xD7FF), (0xE000, 0xFFFF), (0x10000, CodeSet.Last)];

    public override void Write(int from, CodeSet set, int to)
    {
        foreach (var (low, high) in set.Ranges)
            foreach (var length in Lengths)
                Split(from, Math.Max(low, length.Low), Math.Min(high, length.High), to);
    }

    /// <summary>Splits a range of one encoded length until its bytes vary independently.</summary>
    private void Split(int from, int low, int high, int to)
    {
        if (low > high) return;
        for (var bits = 6; bits <= 18 && high > 0x7F; bits += 6)
        {
            var rest = (1 << bits) - 1;
            if ((low & ~rest) == (high & ~rest)) continue;
            if ((low & rest) != 0)
            {
                Split(from, low, low | rest, to);
                Split(from, (low | rest) + 1, high, to);
                return;
            }
            if ((high & rest) != rest)
            {
                Split(from, low, (high & ~rest) - 1, to);
                Split(from, high & ~rest, high, to);
                return;
            }
        }
        Span<byte> first = stackalloc byte[4], last = stackalloc byte[4];
        var length = new Rune(low).EncodeToUtf8(first);
        new Rune(high).EncodeToUtf8(last);
        for (var i = 0; i < length; i++)
        {
            var next = i == length - 1 ? to : Nfa.State();
            Nfa.Range(from, first[i], last[i], next);
            from = next;
        }
    }
}
