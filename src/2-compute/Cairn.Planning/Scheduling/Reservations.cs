namespace Cairn.Planning.Scheduling;

/// <summary>
/// Keeps nodes for gangs that waited too long. Run times are unknown, so a reservation is no slot in time: it is a set of nodes that
/// take nothing new which would delay the gang, and so drain. Backfill goes on everywhere else, and beside it where a node has more
/// than is kept. Why no gang starves: (1) a blocked head gets a reservation within a bounded time, unless classes that it needs carry
/// one for an earlier head, and the earliest always gets one; (2) what is free on kept nodes only grows, save for strictly higher
/// priorities; (3) nodes that make no progress are given up for others after a time that doubles, so that it comes to exceed any finite
/// run time.
/// </summary>
internal sealed partial class Reservations(NodeTable nodes, LineQueue queue, GrantTable grants, SchedulerOptions options)
{
    /// <summary>Scans and renewals happen at most this often within the bound of the wait.</summary>
    private const int LooksPerWait = 16;

    /// <summary>The first stall, in multiples of the bound of the wait.</summary>
    private const int StallFactor = 10;

    private readonly ReservationChoice _choice = new(grants);
    private readonly AgedHeads _heads = new(queue, options.ReserveAfterMicros);
    private readonly List<Reservation> _all = [];
    private readonly List<Reservation> _lifted = [];
    private long _nextScan = long.MinValue;

    public int Count => _all.Count;

    /// <summary>The least time between two looks at the same thing.</summary>
    public long Pause => options.ReserveAfterMicros / LooksPerWait;

    /// <summary>Reserves for the heads that waited too long, in order.</summary>
    /// <returns>When to look again; null where nobody waits for that.</returns>
    public long? Age(long nowMicros)
    {
        if (options.MaxReservations == 0 || queue.Count == 0)
            return null;
        if (nowMicros >= _nextScan)
        {
            _nextScan = Math.Max(nowMicros + Pause, _heads.Scan(nowMicros));
            foreach (var line in _heads.Aged)
            {
                if (_all.Count < options.MaxReservations)
                    ReserveFor(line, nowMicros);
            }
        }

        var next = _nextScan;
        foreach (var reservation in _all)
            next = Math.Min(next, reservation.StalledAtMicros);
        return next == long.MaxValue ? null : Math.Max(next, nowMicros + 1);
    }

    /// <summary>A line that parks now may reach its bound before the scan that was planned.</summary>
    public void Parked(Line line)
    {
        if (line.Reservation is null)
            _nextScan = Math.Min(_nextScan, _heads.AgesAt(line));
    }

    public void WakeStalled(long nowMicros)
    {
        foreach (var reservation in _all)
        {
            if (nowMicros >= reservation.StalledAtMicros)
                queue.Wake(reservation.Line);
        }
    }

    /// <summary>
    /// The node changes or goes, and its reservation with it; another is made at once where the head is still old enough.
    /// </summary>
    public void DropAt(Node node)
    {
        if (node.Reservation is not { } reservation)
            return;
        Drop(reservation);
        _nextScan = long.MinValue;
    }

    public void Drop(Reservation reservation)
    {
        Lift(reservation);
        foreach (var kept in reservation.Kept)
            nodes.MarkDirty(kept.Node.Cell);
        Forget(reservation);
    }

    /// <summary>Lets everyone see the kept nodes as they are. <see cref="Drop"/> or <see cref="Renew"/> follows.</summary>
    public void Lift(Reservation reservation)
    {
        foreach (var kept in reservation.Kept)
        {
            kept.Node.Unreserve();
            nodes.Refresh(kept.Node, freed: false);
        }
    }

    /// <summary>
    /// Chooses the nodes of a lifted reservation again: those that drained the furthest, or others in any case where the kept ones stalled.
    /// </summary>
    public void Renew(Reservation reservation, long nowMicros)
    {
        if (nowMicros >= reservation.StalledAtMicros)
            GiveUpUsed(reservation);
        SetClasses(reservation, null);
        foreach (var kept in reservation.Kept)
            nodes.MarkDirty(kept.Node.Cell);
        var chosen = _choice.Choose(reservation.Line, reservation.GivenUp);
        if (!chosen && reservation.GivenUp.Count > 0)
        {
            reservation.GivenUp.Clear();
            chosen = _choice.Choose(reservation.Line, reservation.GivenUp);
        }

        if (chosen)
            Keep(reservation, nowMicros);
        else
            Forget(reservation);
    }

    private void Keep(Reservation reservation, long nowMicros)
    {
        reservation.Kept.Clear();
        reservation.Kept.AddRange(_choice.Chosen);
        Hold(reservation);
        SetClasses(reservation, reservation);
        reservation.RenewAtMicros = nowMicros + Pause;
        if (_choice.Missing >= reservation.Missing)
            return;
        reservation.Missing = _choice.Missing;
        reservation.StalledAtMicros = nowMicros + (options.ReserveAfterMicros * StallFactor << Math.Min(reservation.Stalls, 20));
    }

    private static void GiveUpUsed(Reservation reservation)
    {
        foreach (var kept in reservation.Kept)
        {
            if (!kept.IsFree)
                reservation.GivenUp.Add(kept.Node);
        }

        reservation.Stalls++;
        reservation.Missing = long.MaxValue;
    }

    private void Hold(Reservation reservation)
    {
        foreach (var kept in reservation.Kept)
        {
            kept.Node.Reserve(reservation, kept.Hold);
            nodes.Refresh(kept.Node, freed: false);
        }
    }

    private void Forget(Reservation reservation)
    {
        SetClasses(reservation, null);
        reservation.Line.Reservation = null;
        _all.Remove(reservation);
    }

    private static void SetClasses(Reservation reservation, Reservation? value)
    {
        foreach (var kept in reservation.Kept)
            kept.Node.Cell.Class.Reservation = value;
    }
}
