namespace Cairn.Frameworks.Constraining.Matching;

/// <summary>Where to go on when a rule ends; a stack is a list that shares its lower part with other stacks.</summary>
internal sealed class StackFrame(int state, StackFrame? below)
{
    private readonly int _hash = HashCode.Combine(state, below?._hash ?? 0);

    public int State => state;
    public StackFrame? Below => below;

    public static bool Same(StackFrame? a, StackFrame? b)
    {
        for (; !ReferenceEquals(a, b); (a, b) = (a.Below, b.Below))
            if (a is null || b is null || a._hash != b._hash || a.State != b.State) return false;
        return true;
    }

    public static int HashOf(StackFrame? frame) => frame?._hash ?? 0;
}

/// <summary>One way to have read the text so far: a state that bytes leave, and what follows its rule; null where the text ends.</summary>
internal readonly record struct Configuration(int State, StackFrame? Below)
{
    public bool Equals(Configuration other) => State == other.State && StackFrame.Same(Below, other.Below);
    public override int GetHashCode() => HashCode.Combine(State, StackFrame.HashOf(Below));
}
