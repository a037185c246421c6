namespace Cairn.Frameworks.Constraining.Matching;

/// <summary>Where texts stand that may go on alike: all ways to have read them. Shared by the generations of a grammar.</summary>
internal sealed class Position(Configuration[] configurations, bool isComplete)
{
    private ulong[]? _mask;

    public Configuration[] Configurations => configurations;

    /// <summary>Whether the text may end here.</summary>
    public bool IsComplete => isComplete;

    /// <summary>Whether it must.</summary>
    public bool IsFinished => configurations.Length == 0;

    /// <summary>Set once, by whoever holds the matcher's lock.</summary>
    public ulong[]? Mask
    {
        get => Volatile.Read(ref _mask);
        set => Volatile.Write(ref _mask, value);
    }

    public sealed class Comparer : IEqualityComparer<Position>
    {
        public bool Equals(Position? x, Position? y) =>
            x!.IsComplete == y!.IsComplete && x.Configurations.AsSpan().SequenceEqual(y.Configurations);

        public int GetHashCode(Position position)
        {
            var hash = new HashCode();
            foreach (var item in position.Configurations) hash.Add(item);
            return hash.ToHashCode();
        }
    }
}
