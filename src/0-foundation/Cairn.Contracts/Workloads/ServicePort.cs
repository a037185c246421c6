using System.Text.RegularExpressions;
using Cairn.Contracts.Ids;

namespace Cairn.Contracts.Workloads;

/// <summary>
/// The ports that a service's task listens on; pure, so that node, server and gateway agree without telling each other. A program that
/// reads <c>$PORT</c> gets one of its own, so that replicas share a machine; any other listens where its workload says.
/// <c>$GRPC_PORT</c> is the same for gRPC.
/// </summary>
public static partial class ServicePort
{
    // Below the range from which Linux gives out ports by itself (32,768 up): a connection that happened to have the port would keep a service from listening.
    private const int First = 20_000;
    private const int Count = 10_000;

    /// <summary>The port, 1 to 65,535; 0 where the workload is no service.</summary>
    public static int Of(WorkloadSpec workload, TaskId task)
    {
        ArgumentNullException.ThrowIfNull(workload);
        if (workload.Service is not { } service)
            return 0;
        return service.Port > 0 && !Reads(workload, ReadsPort()) ? service.Port : First + Own(task);
    }

    /// <summary>The port of gRPC, 1 to 65,535; 0 where the workload is no service or says nothing of gRPC.</summary>
    public static int GrpcOf(WorkloadSpec workload, TaskId task)
    {
        ArgumentNullException.ThrowIfNull(workload);
        if (workload.Service is not { } service)
            return 0;
        // Half a round away from the other, so that a task's two ports are never one.
        return Reads(workload, ReadsGrpcPort()) ? First + (Own(task) + Count / 2) % Count : service.GrpcPort;
    }

    private static bool Reads(WorkloadSpec workload, Regex variable) =>
        variable.IsMatch(workload.Run ?? "") || variable.IsMatch(workload.Setup ?? "");

    private static int Own(TaskId task) => (int)(Fnv.Hash32(task.Value.ToByteArray()) % Count);

    [GeneratedRegex(@"\$(\{(CAIRN_)?PORT[:\-}]|(CAIRN_)?PORT\b)")]
    private static partial Regex ReadsPort();

    [GeneratedRegex(@"\$(\{(CAIRN_)?GRPC_PORT[:\-}]|(CAIRN_)?GRPC_PORT\b)")]
    private static partial Regex ReadsGrpcPort();
}
