using System.Text.RegularExpressions;
using Cairn.Contracts.Ids;

namespace Cairn.Contracts.Workloads;

/// <summary>
/// The port that a service's task listens on; pure, so that node, server and gateway agree without telling each other. A program that reads <c>$PORT</c> gets one of its own,
/// so that replicas share a machine; any other listens where its workload says.
/// </summary>
public static partial class ServicePort
{
    private const int First = 30_000;
    private const int Count = 10_000;

    /// <summary>The port, 1 to 65,535; 0 where the workload is no service.</summary>
    public static int Of(WorkloadSpec workload, TaskId task)
    {
        ArgumentNullException.ThrowIfNull(workload);
        if (workload.Service is not { } service)
            return 0;
        if (service.Port > 0 && !ReadsPort().IsMatch(workload.Run ?? "") && !ReadsPort().IsMatch(workload.Setup ?? ""))
            return service.Port;
        // FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/
        var hash = 2166136261u;
        foreach (var letter in task.Value.ToByteArray())
            hash = (hash ^ letter) * 16777619u;
        return First + (int)(hash % Count);
    }

    [GeneratedRegex(@"\$(\{(CAIRN_)?PORT[:\-}]|(CAIRN_)?PORT\b)")]
    private static partial Regex ReadsPort();
}
