namespace Cairn.Frameworks.Tokenizing.Patterns;

internal enum PatternOp { One, Loop, Split, Jump, Edge, Look, Atomic, Done }

/// <summary>
/// One instruction. Split goes to <see cref="A"/> first and to <see cref="B"/> after; Loop takes a character class from A to B times.
/// </summary>
internal readonly record struct PatternStep(PatternOp Op, int A = 0, int B = 0, CodePointSet? Set = null, Greed Greed = default,
    Edge Edge = default,
    PatternStep[]? Body = null, bool Behind = false, bool Negated = false);

/// <summary>Turns a parsed pattern into instructions for a machine that backtracks on a stack of its own.</summary>
internal sealed class PatternCompiler
{
    /// <summary>Counted groups are written out, so they multiply.</summary>
    private const int MostSteps = 20_000;
    private readonly List<PatternStep> _steps = [];

    private PatternCompiler()
    {
    }

    /// <exception cref="FormatException">The pattern is too large.</exception>
    public static PatternStep[] Compile(PatternNode node)
    {
        var compiler = new PatternCompiler();
        compiler.Emit(node);
        compiler._steps.Add(new PatternStep(PatternOp.Done));
        var steps = compiler._steps.ToArray();
        for (var i = 0; i < steps.Length; i++)
        {
            // Nothing after it can fail, so nothing has to be given back.
            if (steps[i] is { Op: PatternOp.Loop, Greed: Greed.Greedy }
                && EndsAt(steps, i + 1)) steps[i] = steps[i] with { Greed = Greed.Possessive };
        }
        return steps;
    }

    private static bool EndsAt(PatternStep[] steps, int at)
    {
        while (steps[at].Op == PatternOp.Jump) at = steps[at].A;
        return steps[at].Op == PatternOp.Done;
    }

    private void Add(PatternStep step)
    {
        if (_steps.Count >= MostSteps) throw new FormatException($"the pattern needs more than {MostSteps} steps");
        _steps.Add(step);
    }

    private void Emit(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.One one:
                Add(new PatternStep(PatternOp.One, Set: one.Set));
                break;
            case PatternNode.Row row:
                foreach (var part in row.Parts) Emit(part);
                break;
            case PatternNode.Choice choice:
                EmitChoice(choice.Parts);
                break;
            case PatternNode.Repeat { Body: PatternNode.One one } repeat:
                Add(new PatternStep(PatternOp.Loop, repeat.Least, repeat.Most, one.Set, repeat.Greed));
                break;
            case PatternNode.Repeat { Greed: Greed.Possessive } repeat:
                Emit(new PatternNode.Atomic(repeat with { Greed = Greed.Greedy }));
                break;
            case PatternNode.Repeat repeat:
                EmitRepeat(repeat);
                break;
            case PatternNode.At at:
                Add(new PatternStep(PatternOp.Edge, Edge: at.Edge));
                break;
            case PatternNode.Look look:
                Add(new PatternStep(PatternOp.Look, look.Body.Width ?? 0, Body: Compile(look.Body), Behind: look.Behind,
                    Negated: look.Negated));
                break;
            case PatternNode.Atomic atomic:
                Add(new PatternStep(PatternOp.Atomic, Body: Compile(atomic.Body)));
                break;
            default:
                throw new FormatException($"the pattern has an unknown part {node.GetType().Name}");
        }
    }

    private void EmitChoice(IReadOnlyList<PatternNode> parts)
    {
        var ends = new List<int>();
        for (var i = 0; i < parts.Count - 1; i++)
        {
            var split = _steps.Count;
            Add(default);
            Emit(parts[i]);
            ends.Add(_steps.Count);
            Add(default);
            _steps[split] = new PatternStep(PatternOp.Split, split + 1, _steps.Count);
        }
        Emit(parts[^1]);
        foreach (var end in ends) _steps[end] = new PatternStep(PatternOp.Jump, _steps.Count);
    }

    private void EmitRepeat(PatternNode.Repeat repeat)
    {
        for (var i = 0; i < repeat.Least; i++) Emit(repeat.Body);
        if (repeat.Most == int.MaxValue)
        {
            var split = _steps.Count;
            Add(default);
            Emit(repeat.Body);
            Add(new PatternStep(PatternOp.Jump, split));
            _steps[split] = Fork(repeat.Greed, split + 1, _steps.Count);
            return;
        }
        var forks = new List<int>();
        for (var i = repeat.Least; i < repeat.Most; i++)
        {
            forks.Add(_steps.Count);
            Add(default);
            Emit(repeat.Body);
        }
        foreach (var fork in forks) _steps[fork] = Fork(repeat.Greed, fork + 1, _steps.Count);
    }

    private static PatternStep Fork(Greed greed, int body, int after) =>
        greed == Greed.Lazy ? new PatternStep(PatternOp.Split, after, body) : new PatternStep(PatternOp.Split, body, after);
}
