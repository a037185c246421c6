using System.Runtime.InteropServices;

namespace Cairn.Planning.Scheduling;

/// <summary>Who may take what is kept for whom.</summary>
internal sealed partial class Reservations
{
    /// <summary>
    /// Makes what is kept for strictly lower priorities, in classes that the line accepts, visible to it. <see cref="EndLift"/> must
    /// follow.
    /// </summary>
    /// <param name="byOrder">True to lift also what is kept for later ones of the same priority.</param>
    /// <returns>False where there is nothing of that kind.</returns>
    public bool LiftFor(Line line, bool byOrder)
    {
        foreach (var reservation in _all)
        {
            if (ComesBefore(line, reservation.Line, byOrder) && Meets(reservation, line.Shape.Classes))
                _lifted.Add(reservation);
        }

        foreach (var reservation in _lifted)
            Lift(reservation);
        return _lifted.Count > 0;
    }

    /// <param name="taken">Lifted reservations in these classes end; the others stand as before.</param>
    public void EndLift(ReadOnlySpan<NodeClass> taken)
    {
        foreach (var reservation in _lifted)
        {
            if (Meets(reservation, taken))
                Drop(reservation);
            else
                Hold(reservation);
        }

        _lifted.Clear();
    }

    /// <summary>In classes that carry no reservation yet; where that cannot be, in place of those that come later in order.</summary>
    private void ReserveFor(Line line, long nowMicros)
    {
        var wasResolved = line.Shape.IsResolved;
        var chosen = _choice.Choose(line, []);
        if (!chosen && LiftFor(line, byOrder: true))
            chosen = ChooseInstead(line);
        queue.Used(line.Shape, wasResolved);
        if (!chosen)
        {
            line.ReserveNotBefore = nowMicros + options.ReserveAfterMicros;
            return;
        }

        var made = new Reservation(line);
        line.Reservation = made;
        _all.Add(made);
        Keep(made, nowMicros);
    }

    private bool ChooseInstead(Line line)
    {
        foreach (var reservation in _lifted)
            SetClasses(reservation, null);
        var chosen = _choice.Choose(line, []);
        foreach (var reservation in _lifted)
            SetClasses(reservation, reservation);
        var taken = new List<NodeClass>();
        foreach (var kept in chosen ? _choice.Chosen : [])
            taken.Add(kept.Node.Cell.Class);
        EndLift(CollectionsMarshal.AsSpan(taken));
        return chosen;
    }

    private static bool ComesBefore(Line line, Line other, bool byOrder) =>
        other.Priority < line.Priority || (byOrder && line.Head!.Order.CompareTo(other.Head!.Order) < 0);

    private static bool Meets(Reservation reservation, ReadOnlySpan<NodeClass> classes)
    {
        foreach (var nodeClass in classes)
        {
            if (ReferenceEquals(nodeClass.Reservation, reservation))
                return true;
        }

        return false;
    }
}
