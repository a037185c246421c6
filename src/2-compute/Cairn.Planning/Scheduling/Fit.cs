using System.Diagnostics;
using System.Numerics;

namespace Cairn.Planning.Scheduling;

/// <summary>Whether a task fits on a node, and with which devices.</summary>
internal static class Fit
{
    public static bool On(Node node, in Place place) =>
        node.HasOpen(place.Need.Need) && node.Labels.Contains(place.Need.Labels)
        && (place.Need.Need.AcceleratorMilli == 0 || HasDevices(node, place));

    /// <summary>As <see cref="On"/>, on a device that others use already.</summary>
    public static bool OnShared(Node node, in Place place) =>
        node.HasOpen(place.Need.Need) && node.Labels.Contains(place.Need.Labels) && BestShare(node, place) != 0;

    /// <summary>The devices that one task takes; the node fits.</summary>
    public static ulong Devices(Node node, in Place place)
    {
        if (place.Need.Need.AcceleratorMilli == 0)
            return 0;
        if (place.Need.Share == 0)
            return DeviceBits.Choose(ScarcestKind(node, place, place.Need.Devices), place.Need.Devices);
        var shared = BestShare(node, place);
        if (shared != 0)
            return shared;
        var free = ScarcestKind(node, place, 1);
        return free & (0UL - free);
    }

    private static bool HasDevices(Node node, in Place place)
    {
        if (place.Need.Share > 0 && BestShare(node, place) != 0)
            return true;
        return ScarcestKind(node, place, place.Need.LowestRow) != 0;
    }

    /// <summary>The free devices of the accepted kind that has the fewest of them and still enough; 0 where none has.</summary>
    private static ulong ScarcestKind(Node node, in Place place, int count)
    {
        Debug.Assert(count > 0, "Asked for no device.");
        var (best, fewest) = (0UL, int.MaxValue);
        foreach (var kind in place.Kinds)
        {
            var free = node.FreeDevices & kind;
            var number = BitOperations.PopCount(free);
            if (number - node.HeldDevices >= count && number < fewest)
                (best, fewest) = (free, number);
        }

        return best;
    }

    /// <summary>The partly used device whose free share is the smallest that suffices; 0 where none does.</summary>
    private static ulong BestShare(Node node, in Place place)
    {
        if (node.PartlyFree == 0 || node.Reservation is not null)
            return 0;
        var (best, smallest) = (0UL, int.MaxValue);
        foreach (var kind in place.Kinds)
        {
            for (var rest = node.PartlyFree & kind; rest != 0; rest &= rest - 1)
            {
                var device = BitOperations.TrailingZeroCount(rest);
                var free = node.FreeOf(device);
                if (free >= place.Need.Share && free < smallest)
                    (best, smallest) = (1UL << device, free);
            }
        }

        return best;
    }
}
