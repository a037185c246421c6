using System.Globalization;
using System.Text;

namespace Cairn.Planning.Scheduling;

/// <summary>Why a request waits.</summary>
/// <param name="Nodes">All nodes, whatever their class.</param>
/// <param name="Reasons">
/// How many nodes each reason keeps out, most first. A node counts once, at the first reason in the order of <see cref="WaitCodes"/>.
/// </param>
/// <param name="CouldFitWhenIdle">
/// False where even empty nodes would not hold the gang: it waits for nodes to join, not for others to end.
/// </param>
public sealed record WaitExplanation(int Nodes, IReadOnlyList<WaitReason> Reasons, bool CouldFitWhenIdle)
{
    /// <summary>Such as <c>41 nodes: 30 accelerator_memory, 7 class, 4 labels</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{Nodes} {(Nodes == 1 ? "node" : "nodes")}");
        for (var i = 0; i < Reasons.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? ": " : ", ")}{Reasons[i].Nodes} {Reasons[i].Code}");
        return text.ToString();
    }
}

/// <param name="Code">One of <see cref="WaitCodes"/>.</param>
public readonly record struct WaitReason(string Code, int Nodes);

/// <summary>Why a node is out for a waiting request, in the order in which they are asked. Stable: clients branch on them.</summary>
public static class WaitCodes
{
    /// <summary>The plan does not allow the node's class: by price, residency, or any other reason that the plan names.</summary>
    public const string Class = "class";

    /// <summary>Cordoned, draining or unhealthy.</summary>
    public const string Unschedulable = "unschedulable";
    public const string Labels = "labels";
    public const string Accelerator = "accelerator";
    public const string AcceleratorMemory = "accelerator_memory";

    /// <summary>The node has fewer accelerators than a task needs, even when empty.</summary>
    public const string AcceleratorCount = "accelerator_count";
    public const string Cpus = "cpus";
    public const string Memory = "memory";
    public const string Disk = "disk";

    /// <summary>The gang needs one domain, and the node shares none with others.</summary>
    public const string Interconnect = "interconnect";

    /// <summary>The node would do, and others use it.</summary>
    public const string Capacity = "capacity";

    /// <summary>The node has room that is kept for a gang that waited longer.</summary>
    public const string Reserved = "reserved";

    /// <summary>The node has room for a task, and there are too few like it for the whole gang.</summary>
    public const string Gang = "gang";
}
