using System.Numerics;

namespace Cairn.Planning.Scheduling;

/// <summary>What room for so many tasks is on one node, in devices and amounts.</summary>
internal static class HoldSize
{
    /// <summary>
    /// A hold for <paramref name="tasks"/> tasks, at most as many as <see cref="TasksWhenEmpty"/> says, and how much of it is in use.
    /// </summary>
    public static KeptNode On(Node node, in Place place, int tasks)
    {
        var need = place.Need.Need;
        var devices = (int)DevicesFor(place.Need, tasks);
        var kinds = FreestKind(node, place, devices);
        var hold = new Hold(devices, kinds, need.CpuMillis * tasks, need.MemoryBytes * tasks, need.DiskBytes * tasks);
        var missing = MissingOf(devices, BitOperations.PopCount(node.FreeDevices & kinds));
        missing = Math.Max(missing, MissingOf(hold.Cpu, node.FreeCpu));
        missing = Math.Max(missing, MissingOf(hold.Memory, node.FreeMemory));
        missing = Math.Max(missing, MissingOf(hold.Disk, node.FreeDisk));
        return new KeptNode(node, place.Choice, tasks, missing, hold);
    }

    /// <summary>Thousandths of what is wanted that are not free.</summary>
    private static int MissingOf(long wanted, long free) =>
        wanted <= free ? 0 : (int)Math.Ceiling((wanted - Math.Max(0, free)) * 1000.0 / wanted);

    private static ulong FreestKind(Node node, in Place place, int devices)
    {
        var (best, most) = (0UL, -1);
        foreach (var kind in place.Kinds)
        {
            var free = BitOperations.PopCount(node.FreeDevices & kind);
            if (BitOperations.PopCount(kind) >= devices && free > most)
                (best, most) = (kind, free);
        }

        return best;
    }

    /// <summary>How many tasks the node holds when nothing else is on it, all on one kind of device.</summary>
    public static int TasksWhenEmpty(Node node, in Place place)
    {
        var need = place.Need.Need;
        var tasks = long.MaxValue;
        if (need.AcceleratorMilli > 0)
        {
            tasks = 0;
            foreach (var kind in place.Kinds)
                tasks = Math.Max(tasks, TasksOn(place.Need, BitOperations.PopCount(kind)));
        }

        tasks = need.CpuMillis > 0 ? Math.Min(tasks, node.Shape.CpuMillis / need.CpuMillis) : tasks;
        tasks = need.MemoryBytes > 0 ? Math.Min(tasks, node.Shape.MemoryBytes / need.MemoryBytes) : tasks;
        tasks = need.DiskBytes > 0 ? Math.Min(tasks, node.Shape.DiskBytes / need.DiskBytes) : tasks;
        return (int)Math.Min(tasks, int.MaxValue);
    }

    public static int TasksOn(CompiledNeed need, int devices)
    {
        if (need.Share > 0)
            return devices * (TaskNeed.WholeAccelerator / need.Share);
        return need.Devices > 0 ? devices / need.Devices : 1;
    }

    /// <summary>Whole devices that hold <paramref name="tasks"/> tasks.</summary>
    public static long DevicesFor(CompiledNeed need, long tasks)
    {
        if (need.Share == 0)
            return need.Devices * tasks;
        var perDevice = TaskNeed.WholeAccelerator / need.Share;
        return (tasks + perDevice - 1) / perDevice;
    }
}
