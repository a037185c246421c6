using System.Buffers.Binary;
using Cairn.Contracts.Ids;

namespace Cairn.Fleet.Reports;

/// <summary>
/// The port on rank 0's node under which the ranks of a gang meet (torch's <c>MASTER_PORT</c>): 20,000 to 29,999, below the range from
/// which
/// Linux gives out ports by itself (32,768 up). Chosen from the job's id and attempt, so it survives a restart without a row, and
/// another attempt does not meet the sockets of the last.
/// </summary>
internal static class MasterPort
{
    public const int First = 20_000;
    public const int Count = 10_000;

    public static int Of(JobId job, int attempt)
    {
        Span<byte> bytes = stackalloc byte[16];
        job.Value.TryWriteBytes(bytes);
        // The last eight bytes of a UUIDv7 are random.
        var random = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        return First + (int)((random + (ulong)attempt * 7_919) % Count);
    }
}
