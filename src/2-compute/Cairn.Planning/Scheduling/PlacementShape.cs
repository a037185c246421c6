namespace Cairn.Planning.Scheduling;

/// <summary>One class of nodes that a request accepts, and what a task takes from a node of it.</summary>
/// <param name="NodeClass">As in <see cref="NodeShape.NodeClass"/>; a class without nodes is no error, for they may join later.</param>
/// <param name="Need">Differs between choices where the workload names alternatives (one 80 GB card, or two of 40 GB).</param>
public readonly record struct PlacementChoice(string NodeClass, TaskNeed Need);

/// <summary>
/// Everything that decides where a request can go. Requests of equal shape stand in one line, so one refusal answers for all of them;
/// sharing the instance between requests makes the comparison free.
/// </summary>
public sealed class PlacementShape : IEquatable<PlacementShape>
{
    private int _hash;

    /// <summary>The planner's ranking, cheapest first. The whole gang goes to the first choice that can hold it.</summary>
    public required IReadOnlyList<PlacementChoice> Choices { get; init; }

    /// <summary>Tasks of the gang, at least 1; all are placed together or none.</summary>
    public int Tasks { get; init; } = 1;

    /// <summary>Never two tasks of the gang on one node.</summary>
    public bool Spread { get; init; }

    /// <summary>
    /// All nodes of the gang share one <see cref="NodeShape.Domain"/>, and are as few as can be. Without it tasks fill the smallest
    /// fragments that hold them, wherever these are.
    /// </summary>
    public bool SameDomain { get; init; }

    /// <summary>
    /// Where no single choice holds the whole gang, it may be spread over several, cheapest first: nodes of many suppliers are one
    /// class each. Of a class named twice, the first need that its devices meet counts.
    /// </summary>
    public bool MixClasses { get; init; }

    public bool Equals(PlacementShape? other)
    {
        if (ReferenceEquals(this, other))
            return true;
        if (other is null || GetHashCode() != other.GetHashCode() || Tasks != other.Tasks || Spread != other.Spread
            || SameDomain != other.SameDomain || MixClasses != other.MixClasses || Choices.Count != other.Choices.Count)
            return false;
        for (var i = 0; i < Choices.Count; i++)
        {
            if (!string.Equals(Choices[i].NodeClass, other.Choices[i].NodeClass, StringComparison.Ordinal)
                || !Choices[i].Need.Equals(other.Choices[i].Need))
                return false;
        }

        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as PlacementShape);

    public override int GetHashCode()
    {
        if (_hash != 0)
            return _hash;
        var hash = new HashCode();
        hash.Add(Tasks);
        hash.Add((Spread ? 1 : 0) + (SameDomain ? 2 : 0) + (MixClasses ? 4 : 0));
        for (var i = 0; i < Choices.Count; i++)
        {
            hash.Add(Choices[i].NodeClass, StringComparer.Ordinal);
            hash.Add(Choices[i].Need);
        }

        _hash = hash.ToHashCode() | 1;
        return _hash;
    }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Tasks, 1);
        for (var i = 0; i < Choices.Count; i++)
            Choices[i].Need.Validate();
    }
}
