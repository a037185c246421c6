namespace Cairn.Planning.Scheduling;

/// <summary>
/// One round: (1) wake the lines that something freed since the last round may help; (2) try the heads of lines in order, parking each line
/// whose head finds no room; (3) reserve nodes for heads that waited too long.
/// </summary>
internal sealed class RoundRunner(NodeTable nodes, LineQueue queue, GrantTable grants, Reservations reservations)
{
    private readonly GangPlacer _placer = new(grants);

    /// <summary>Lines with a reservation that were tried in this round already; what was freed after that wakes them in the next.</summary>
    private readonly List<Line> _again = [];
    private long _number;

    public ScheduleRound Run(long nowMicros, int maxTasks)
    {
        var round = new ScheduleRound();
        _number++;
        foreach (var line in _again)
            queue.Wake(line);
        _again.Clear();
        WakeWhoMayFit();
        reservations.WakeStalled(nowMicros);
        while (round.Tasks < maxTasks && queue.TakeNext() is { } line)
        {
            Try(line, nowMicros, round);

            // Dropping a reservation frees nodes for lines that were parked earlier in this very round.
            if (nodes.Dirty.Count > 0)
                WakeWhoMayFit();
        }

        round.MoreToDo = round.Tasks >= maxTasks && queue.AnyStands;
        var again = reservations.Age(nowMicros);
        round.DecideAgainAtMicros = _again.Count > 0 ? Math.Min(again ?? long.MaxValue, nowMicros + reservations.Pause) : again;
        return round;
    }

    private void WakeWhoMayFit()
    {
        foreach (var cell in nodes.Dirty)
        {
            foreach (var shape in cell.Class.Shapes)
            {
                if (!shape.MayUse(cell))
                    continue;
                foreach (var line in shape.Lines)
                {
                    if (line.Parked)
                        queue.Wake(line);
                }
            }
        }

        nodes.ForgetDirty();
    }

    private void Try(Line line, long nowMicros, ScheduleRound round)
    {
        if (line.Reservation is not null && line.LastRound == _number)
        {
            line.Parked = true;
            _again.Add(line);
            return;
        }

        line.LastRound = _number;
        var head = line.Head!;
        if ((line.Shape.MayFit ? Resolved(line, head.Request, nowMicros) : null) is { } tasks)
        {
            round.Place(new Placement { Request = head.Request, Tasks = tasks });
            queue.Remove(head);
            return;
        }

        line.Parked = true;
        reservations.Parked(line);
        round.Block(head.Request.Key);
    }

    private TaskPlacement[]? Resolved(Line line, PlacementRequest request, long nowMicros)
    {
        var wasResolved = line.Shape.IsResolved;
        var tasks = Place(line, request, nowMicros);
        queue.Used(line.Shape, wasResolved);
        return tasks;
    }

    private TaskPlacement[]? Place(Line line, PlacementRequest request, long nowMicros)
    {
        if (line.Reservation is { } own)
            return PlaceOnReserved(own, request, nowMicros);
        if (_placer.TryPlace(line.Shape, request) is { } tasks)
            return tasks;
        if (!reservations.LiftFor(line, byOrder: false))
            return null;
        tasks = _placer.TryPlace(line.Shape, request);
        reservations.EndLift(tasks is null ? [] : line.Shape.Classes);
        return tasks;
    }

    /// <summary>
    /// The gang sees what is kept for it as free. Where that is not enough yet, it is kept on, on better nodes where there are some.
    /// </summary>
    private TaskPlacement[]? PlaceOnReserved(Reservation own, PlacementRequest request, long nowMicros)
    {
        if (!own.IsFree && nowMicros < own.RenewAtMicros)
            return null;
        reservations.Lift(own);
        var tasks = _placer.TryPlace(own.Line.Shape, request);
        if (tasks is not null)
            reservations.Drop(own);
        else
            reservations.Renew(own, nowMicros);
        return tasks;
    }
}
