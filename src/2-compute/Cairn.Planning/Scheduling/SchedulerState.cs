namespace Cairn.Planning.Scheduling;

/// <summary>
/// The scheduler's view of all nodes, of what is granted on them and of who waits, and its choice. Pure and single-threaded: nothing
/// but calls changes it, equal calls give equal decisions, and it never grants more than a node has.
/// <para>
/// The owner feeds it (nodes, held leases, requests), calls <see cref="Decide"/>, and commits the placements. Whoever cannot commit
/// gives the placements back with <see cref="Release(Guid)"/> and submits them again, or throws the state away and loads a new one.
/// </para>
/// <para>
/// Order: a higher priority first, within one priority the lower sequence. A request that finds no room does not stop those behind it;
/// one that waited for <see cref="SchedulerOptions.ReserveAfterMicros"/> gets nodes reserved, which take nothing new that would delay
/// it, so a stream of small jobs cannot starve it. Only a strictly higher priority takes a reservation away.
/// </para>
/// <para>Among nodes: the first choice that holds the whole gang, within it the node whose free accelerators match best.</para>
/// </summary>
public sealed partial class SchedulerState
{
    private readonly NodeTable _nodes = new();
    private readonly GrantTable _grants = new();
    private readonly LineQueue _queue;
    private readonly RoundRunner _rounds;
    private readonly Reservations _reservations;

    public SchedulerState(SchedulerOptions? options = null)
    {
        options ??= new SchedulerOptions();
        if (options.Errors() is { Count: > 0 } errors)
            throw new ArgumentException(string.Join(' ', errors), nameof(options));
        _queue = new LineQueue(_nodes);
        _reservations = new Reservations(_nodes, _queue, _grants, options);
        _rounds = new RoundRunner(_nodes, _queue, _grants, _reservations);
    }

    public int NodeCount => _nodes.Count;

    /// <summary>Requests that wait.</summary>
    public int QueuedCount => _queue.Count;

    /// <summary>Tasks that hold something.</summary>
    public int HeldTasks => _grants.Count;

    /// <summary>Lines that hold reserved nodes.</summary>
    public int ReservationCount => _reservations.Count;

    /// <returns>The node's handle: small, used again after <see cref="RemoveNode"/>.</returns>
    /// <exception cref="ArgumentException">
    /// An amount is negative, or there are more than <see cref="NodeShape.MaxDevices"/> accelerators.
    /// </exception>
    public int AddNode(NodeShape shape, bool schedulable = true)
    {
        var node = _nodes.Add(shape, schedulable);
        _nodes.Refresh(node, freed: true);
        return node.Handle;
    }

    /// <summary>
    /// The node has another shape now. What it granted stays granted: amounts may turn negative, and devices that are no longer there
    /// come free when they are there again.
    /// </summary>
    public void UpdateNode(int node, NodeShape shape)
    {
        var updated = _nodes[node];
        _reservations.DropAt(updated);
        _nodes.Reshape(updated, shape);
        for (var slot = updated.FirstGrant; slot >= 0; slot = _grants[slot].NextOnNode)
            updated.Take(_grants[slot]);
        _nodes.Refresh(updated, freed: true);
    }

    /// <summary>The node is gone, and with it every grant on it. Its handle may be given to another node from now on.</summary>
    /// <returns>How many tasks held something there.</returns>
    public int RemoveNode(int node)
    {
        var removed = _nodes[node];
        _reservations.DropAt(removed);
        var voided = 0;
        for (; removed.FirstGrant >= 0; voided++)
        {
            var key = _grants[removed.FirstGrant].Key;
            _grants.Remove(removed.FirstGrant);
            _queue.WakeJoining(key);
        }

        _nodes.Remove(removed);
        return voided;
    }

    /// <summary>False for a node that is cordoned, draining or unhealthy: it takes nothing new and keeps what it granted.</summary>
    public void SetSchedulable(int node, bool schedulable)
    {
        var changed = _nodes[node];
        if (changed.Schedulable == schedulable)
            return;
        _reservations.DropAt(changed);
        changed.Schedulable = schedulable;
        _nodes.Refresh(changed, freed: true);
    }

    public NodeRoom RoomOf(int node)
    {
        var asked = _nodes[node];
        var milli = 0;
        for (var device = 0; device < asked.Cell.Layout.Count; device++)
            milli += asked.FreeOf(device);
        return new NodeRoom(asked.FreeCpu, asked.FreeMemory, asked.FreeDisk, asked.FreeDevices, milli);
    }

    /// <summary>Puts a request into the queue; <see cref="Decide"/> places it.</summary>
    /// <exception cref="ArgumentException">
    /// The request makes no sense: its key waits already, its ranks are held or do not match its tasks, a need is negative.
    /// </exception>
    public void Submit(PlacementRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.Shape.Validate();
        if (_queue.Find(request.Key) is not null)
            throw new ArgumentException($"Request {request.Key} waits already; withdraw it first.", nameof(request));
        CheckRanks(request);
        _queue.Add(request, joins: _grants.FirstOf(request.Key) >= 0);
    }

    /// <summary>Takes a request out of the queue; false where it does not wait.</summary>
    public bool Withdraw(Guid key)
    {
        if (_queue.Find(key) is not { } waiting)
            return false;
        if (waiting.Line.Reservation is { } reservation && ReferenceEquals(waiting.Line.Head, waiting))
            _reservations.Drop(reservation);
        _queue.Remove(waiting);
        return true;
    }

    /// <summary>Places whoever can be placed now. Costs what changed since the last round, not what waits.</summary>
    /// <param name="nowMicros">UTC microseconds; never before that of the last round.</param>
    /// <param name="maxTasks">The round ends once this many tasks are placed, with <see cref="ScheduleRound.MoreToDo"/> set.</param>
    public ScheduleRound Decide(long nowMicros, int maxTasks = int.MaxValue) => _rounds.Run(nowMicros, maxTasks);

    /// <summary>
    /// Why a request waits: every node counted once, by the first thing that keeps the request off it. Null where it does not wait.
    /// </summary>
    /// <remarks>Looks at every node: for a person's question, not for every round.</remarks>
    public WaitExplanation? Explain(Guid key) => _queue.Find(key) is { } waiting ? WaitReasons.Of(waiting, _nodes) : null;

    private void CheckRanks(PlacementRequest request)
    {
        if (request.Ranks is { } ranks && ranks.Count != request.Shape.Tasks)
            throw new ArgumentException(
                $"Request {request.Key} names {ranks.Count} ranks for {request.Shape.Tasks} tasks; name as many.", nameof(request));
        for (var slot = _grants.FirstOf(request.Key); slot >= 0; slot = _grants[slot].NextInGang)
        {
            var held = _grants[slot].Rank;
            if (request.Ranks is null ? held < request.Shape.Tasks : request.Ranks.Contains(held))
                throw new ArgumentException(
                    $"Request {request.Key} asks for rank {held}, which holds a grant; release it first.", nameof(request));
        }
    }
}
