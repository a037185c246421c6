using System.Numerics;

namespace Cairn.Planning.Scheduling;

/// <summary>Counts, over every node, what keeps a waiting request off it.</summary>
internal static class WaitReasons
{
    public static WaitExplanation Of(Waiting waiting, NodeTable nodes)
    {
        var shape = waiting.Line.Shape;
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var total = 0;
        foreach (var nodeClass in nodes.Classes)
        {
            foreach (var cell in nodeClass.Cells)
            {
                foreach (var node in cell.Nodes)
                {
                    var code = ReasonOf(node, shape);
                    counts[code] = counts.GetValueOrDefault(code) + 1;
                    total++;
                }
            }
        }

        var reasons = counts.Select(static pair => new WaitReason(pair.Key, pair.Value))
            .OrderByDescending(static reason => reason.Nodes).ThenBy(static reason => reason.Code, StringComparer.Ordinal).ToArray();
        return new WaitExplanation(total, reasons, CouldFitWhenIdle(shape));
    }

    /// <summary>The reason of the choice that came the furthest.</summary>
    private static string ReasonOf(Node node, CompiledShape shape)
    {
        var furthest = -1;
        for (var i = 0; i < shape.Classes.Length; i++)
        {
            if (ReferenceEquals(shape.Classes[i], node.Cell.Class))
                furthest = Math.Max(furthest, Array.IndexOf(s_order, ReasonOf(node, shape, i)));
        }

        return furthest < 0 ? WaitCodes.Class : s_order[furthest];
    }

    private static readonly string[] s_order =
    [
        WaitCodes.Unschedulable, WaitCodes.Labels, WaitCodes.Accelerator, WaitCodes.AcceleratorMemory, WaitCodes.AcceleratorCount,
        WaitCodes.Cpus, WaitCodes.Memory, WaitCodes.Disk, WaitCodes.Interconnect, WaitCodes.Capacity, WaitCodes.Reserved, WaitCodes.Gang,
    ];

    private static string ReasonOf(Node node, CompiledShape shape, int choice)
    {
        var compiled = shape.NeedOf(choice);
        var need = compiled.Need;
        if (!node.Schedulable)
            return WaitCodes.Unschedulable;
        if (!node.Labels.Contains(compiled.Labels))
            return WaitCodes.Labels;
        var kinds = need.AcceleratorMilli > 0 ? node.Cell.Layout.KindsFor(need) : [];
        if (need.AcceleratorMilli > 0 && kinds.Length == 0)
        {
            var (kind, memory) = node.Cell.Layout.Meets(need);
            return !kind ? WaitCodes.Accelerator : !memory ? WaitCodes.AcceleratorMemory : WaitCodes.AcceleratorCount;
        }

        if (need.CpuMillis > node.Shape.CpuMillis)
            return WaitCodes.Cpus;
        if (need.MemoryBytes > node.Shape.MemoryBytes)
            return WaitCodes.Memory;
        if (need.DiskBytes > node.Shape.DiskBytes)
            return WaitCodes.Disk;
        if (shape.OneDomain && node.Cell.Domain.Length == 0)
            return WaitCodes.Interconnect;
        if (Fit.On(node, new Place(node.Cell, compiled, choice, kinds)))
            return WaitCodes.Gang;
        return node.Reservation is not null && HasFree(node, compiled, kinds) ? WaitCodes.Reserved : WaitCodes.Capacity;
    }

    /// <summary>True where a task would fit if nothing were kept.</summary>
    private static bool HasFree(Node node, CompiledNeed compiled, ulong[] kinds)
    {
        var need = compiled.Need;
        if (need.CpuMillis > node.FreeCpu || need.MemoryBytes > node.FreeMemory || need.DiskBytes > node.FreeDisk)
            return false;
        if (kinds.Length == 0)
            return true;
        foreach (var kind in kinds)
        {
            if (BitOperations.PopCount(node.FreeDevices & kind) >= compiled.LowestRow)
                return true;
        }

        return false;
    }

    private static bool CouldFitWhenIdle(CompiledShape shape)
    {
        foreach (var step in shape.Steps)
        {
            foreach (var group in step)
            {
                if (RoomWhenIdle(group, shape.Shape) >= shape.Shape.Tasks)
                    return true;
            }
        }

        return false;
    }

    private static long RoomWhenIdle(PlaceGroup group, PlacementShape shape)
    {
        var room = 0L;
        foreach (var place in group.Places)
        {
            foreach (var node in place.Cell.Nodes)
            {
                if (node.Schedulable && node.Labels.Contains(place.Need.Labels))
                    room += Math.Min(shape.Spread ? 1 : int.MaxValue, HoldSize.TasksWhenEmpty(node, place));
            }
        }

        return room;
    }
}
