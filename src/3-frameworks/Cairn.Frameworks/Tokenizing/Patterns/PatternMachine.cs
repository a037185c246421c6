using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Cairn.Frameworks.Tokenizing.Patterns;

/// <summary>
/// Runs a compiled pattern at one place of a text. Backtracks on a heap-allocated stack, so long texts cannot overflow the thread's.
/// </summary>
internal ref struct PatternMachine(ReadOnlySpan<char> text, long budget)
{
    /// <summary>
    /// A place to go back to. For loops, <see cref="Floor"/> is how far a greedy one may give back, or how many times a lazy one may
    /// still take.
    /// </summary>
    private readonly record struct Choice(int Step, int At, int Floor, bool Lazy);

    private readonly ReadOnlySpan<char> _text = text;
    private long _budget = budget;
    private Choice[] _stack = new Choice[16];
    private int _height;

    /// <summary>The end of the match that begins at <paramref name="at"/>; -1 where there is none.</summary>
    public int Match(PatternStep[] steps, int at)
    {
        var bottom = _height;
        var step = 0;
        while (true)
        {
            if (--_budget < 0) throw new PatternLimitException("The text makes the tokenizer's pattern work without end; send a shorter or less repetitive text.");
            ref readonly var now = ref steps[step];
            var going = true;
            switch (now.Op)
            {
                case PatternOp.Done:
                    _height = bottom;
                    return at;
                case PatternOp.One:
                    going = Take(now.Set!, ref at);
                    step++;
                    break;
                case PatternOp.Jump:
                    step = now.A;
                    break;
                case PatternOp.Split:
                    Push(new Choice(now.B, at, -1, false));
                    step = now.A;
                    break;
                case PatternOp.Loop:
                    going = Loop(now, step, ref at);
                    step++;
                    break;
                case PatternOp.Edge:
                    going = IsAt(now.Edge, at);
                    step++;
                    break;
                case PatternOp.Look:
                    going = Looks(now, at);
                    step++;
                    break;
                case PatternOp.Atomic:
                    at = Match(now.Body!, at);
                    going = at >= 0;
                    step++;
                    break;
                default:
                    throw new UnreachableException();
            }
            if (!going && !Back(steps, bottom, ref step, ref at)) return -1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly bool Take(CodePointSet set, ref int at)
    {
        if ((uint)at >= (uint)_text.Length) return false;
        int c = _text[at];
        var width = 1;
        if (char.IsHighSurrogate((char)c) && at + 1 < _text.Length && char.IsLowSurrogate(_text[at + 1]))
        {
            c = char.ConvertToUtf32((char)c, _text[at + 1]);
            width = 2;
        }
        if (!set.Contains(c)) return false;
        at += width;
        return true;
    }

    private bool Loop(in PatternStep now, int step, ref int at)
    {
        var taken = 0;
        while (taken < now.A)
        {
            if (!Take(now.Set!, ref at)) return false;
            taken++;
        }
        if (now.Greed == Greed.Lazy)
        {
            if (now.B > taken) Push(new Choice(step, at, now.B == int.MaxValue ? int.MaxValue : now.B - taken, true));
            return true;
        }
        var floor = at;
        var begun = taken;
        while (taken < now.B && Take(now.Set!, ref at)) taken++;
        _budget -= taken - begun;
        if (now.Greed == Greed.Greedy && at > floor) Push(new Choice(step + 1, at, floor, false));
        return true;
    }

    private bool Back(PatternStep[] steps, int bottom, ref int step, ref int at)
    {
        while (_height > bottom)
        {
            var choice = _stack[--_height];
            (step, at) = (choice.Step, choice.At);
            if (choice.Lazy)
            {
                if (!Take(steps[step].Set!, ref at)) continue;
                if (choice.Floor > 1) Push(choice with { At = at, Floor = choice.Floor == int.MaxValue ? int.MaxValue : choice.Floor - 1 });
                step++;
            }
            else if (choice.Floor >= 0)
            {
                at -= at - choice.Floor >= 2 && char.IsLowSurrogate(_text[at - 1]) && char.IsHighSurrogate(_text[at - 2]) ? 2 : 1;
                if (at > choice.Floor) Push(choice with { At = at });
            }
            return true;
        }
        return false;
    }

    private bool Looks(in PatternStep now, int at)
    {
        var from = at;
        if (now.Behind)
        {
            for (var i = 0; i < now.A; i++)
            {
                if (from == 0) return now.Negated;
                from -= from >= 2 && char.IsLowSurrogate(_text[from - 1]) && char.IsHighSurrogate(_text[from - 2]) ? 2 : 1;
            }
        }
        return Match(now.Body!, from) >= 0 != now.Negated;
    }

    private readonly bool IsAt(Edge edge, int at) => edge switch
    {
        Edge.LineStart => at == 0 || _text[at - 1] == '\n',
        Edge.LineEnd => at == _text.Length || _text[at] == '\n',
        Edge.TextStart => at == 0,
        Edge.TextEnd => at == _text.Length,
        Edge.TextEndOrLastNewline => at == _text.Length || (at == _text.Length - 1 && _text[at] == '\n'),
        Edge.Word => WordBefore(at) != WordAfter(at),
        Edge.NotWord => WordBefore(at) == WordAfter(at),
        _ => throw new UnreachableException(),
    };

    private readonly bool WordAfter(int at) => Take(UnicodeClasses.PatternWord, ref at);

    private readonly bool WordBefore(int at)
    {
        if (at == 0) return false;
        at -= at >= 2 && char.IsLowSurrogate(_text[at - 1]) && char.IsHighSurrogate(_text[at - 2]) ? 2 : 1;
        return Take(UnicodeClasses.PatternWord, ref at);
    }

    private void Push(Choice choice)
    {
        if (_height == _stack.Length) Array.Resize(ref _stack, _height * 2);
        _stack[_height++] = choice;
    }
}
