using System.Globalization;

namespace Cairn.Hardware.Benchmarks;

/// <summary>
/// Sequential writes that count only once they are durable: blocks are written for the phase's time, then the file is flushed to the
/// device.
/// </summary>
internal static class DiskWrite
{
    private const int BlockBytes = 4 << 20;
    private const long MostBytes = 1L << 30;

    /// <returns>Bytes per second, flush included; 0 where the folder cannot be written to.</returns>
    public static double Measure(TimeProvider time, TimeSpan phase, string folder, long freeBytes, CancellationToken cancellationToken)
    {
        var most = Math.Min(MostBytes, freeBytes / 4);
        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $".cairn-benchmark-{Environment.ProcessId}"));
        try
        {
            using var file = new FileStream(
                path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
            var block = Noise();
            var start = time.GetTimestamp();
            var written = 0L;
            while (written + BlockBytes <= most && time.GetElapsedTime(start) < phase)
            {
                cancellationToken.ThrowIfCancellationRequested();
                file.Write(block);
                written += BlockBytes;
            }

            file.Flush(flushToDisk: true);
            return written / time.GetElapsedTime(start).TotalSeconds;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>Bytes that no file system can compress away; a fixed seed makes every run write the same.</summary>
    private static byte[] Noise()
    {
        var block = new byte[BlockBytes];
        new Random(20_260_101).NextBytes(block);
        return block;
    }
}
