namespace Cairn.Planning.Scheduling;

/// <summary>What one call of <see cref="SchedulerState.Decide"/> decided. The grants are already taken from the state.</summary>
public sealed class ScheduleRound
{
    private readonly List<Placement> _placements = [];
    private readonly List<Guid> _blocked = [];

    /// <summary>In the order of the decisions.</summary>
    public IReadOnlyList<Placement> Placements => _placements;

    /// <summary>
    /// The heads of the lines that were tried and found no room, in order. A line that was blocked before, and saw nothing freed that
    /// it could use, is not tried and not named; <see cref="SchedulerState.Explain"/> says why any one waits.
    /// </summary>
    public IReadOnlyList<Guid> Blocked => _blocked;

    /// <summary>Tasks placed, over all gangs.</summary>
    public int Tasks { get; private set; }

    /// <summary>True where the round ended at its limit with lines left to try: decide again.</summary>
    public bool MoreToDo { get; internal set; }

    /// <summary>
    /// When a wait next reaches its bound, UTC microseconds: decide at the latest then. Null where nothing waits for that.
    /// </summary>
    public long? DecideAgainAtMicros { get; internal set; }

    internal void Place(Placement placement)
    {
        _placements.Add(placement);
        Tasks += placement.Tasks.Length;
    }

    internal void Block(Guid key) => _blocked.Add(key);
}
