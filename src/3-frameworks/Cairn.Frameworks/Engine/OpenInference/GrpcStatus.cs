using Cairn.Frameworks.Engine.Tensors;
using Grpc.Core;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>A refusal as gRPC tells it.</summary>
internal static class GrpcStatus
{
    public static RpcException Of(Refusal refusal) => new(new Status(Code(refusal.Kind), refusal.Message));

    private static StatusCode Code(RefusalKind kind) => kind switch
    {
        RefusalKind.Invalid => StatusCode.InvalidArgument,
        RefusalKind.NotFound => StatusCode.NotFound,
        RefusalKind.Unavailable or RefusalKind.QueueFull => StatusCode.Unavailable,
        RefusalKind.TimedOut => StatusCode.DeadlineExceeded,
        RefusalKind.TooLarge => StatusCode.ResourceExhausted,
        RefusalKind.Unsupported => StatusCode.Unimplemented,
        _ => StatusCode.Internal,
    };
}
