using System.Collections.Concurrent;
using System.Globalization;
using Cairn.Contracts.Ids;
using Cairn.Fleet.Link;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Fleet.Logs;

/// <summary>
/// The logs as files, <c>SHARD/JOB-ATTEMPT-RANK.log</c>: the bytes that the node sent, at the offsets it gave them. A file's length is how much
/// is known, so a restart needs no other record. At most so many files are open at a time. A job has no folder of its own: making one costs a
/// file system as much as the log itself. The shard is the end of the job's id, which is random, so the logs spread evenly.
/// </summary>
internal sealed class LogFiles(LogOptions options) : IDisposable
{
    private const int ShardDigits = 3;

    private readonly ConcurrentDictionary<TaskLogKey, LogFile> _open = new();
    private readonly ConcurrentQueue<TaskLogKey> _opened = new();
    private int _openCount;

    public LogOptions Options => options;

    /// <summary>Runs with the log's file open and no other writer or closer beside it.</summary>
    public T Write<T>(TaskLogKey key, Func<LogFile, T> write)
    {
        while (true)
        {
            var file = Find(key);
            lock (file)
            {
                if (file.IsClosed)
                    continue;
                return write(file);
            }
        }
    }

    /// <summary>How many bytes are kept; 0 where nothing came yet.</summary>
    public long Length(TaskLogKey key)
    {
        if (_open.TryGetValue(key, out var file) && file.KnownLength is { } length)
            return length;
        var info = new FileInfo(PathOf(key));
        return info.Exists ? info.Length : 0;
    }

    /// <summary>Opens for reading; null where nothing came yet.</summary>
    public SafeFileHandle? OpenRead(TaskLogKey key)
    {
        try
        {
            return File.OpenHandle(PathOf(key), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Every log of a job that has a file.</summary>
    public IReadOnlyList<TaskLogKey> Of(JobId job) => [.. FilesOf(job).Select(file => Parse(file.Name)).OfType<TaskLogKey>()];

    /// <summary>Deletes all logs of a job.</summary>
    public void Delete(JobId job)
    {
        foreach (var key in _open.Keys.Where(key => key.Job == job))
            Close(key);
        foreach (var file in FilesOf(job))
            file.Delete();
    }

    /// <summary>Where a job's logs lie, among those of other jobs.</summary>
    public string FolderOf(JobId job) => Path.Combine(options.Folder, job.ToString()[^ShardDigits..]);

    public string PathOf(TaskLogKey key) =>
        Path.Combine(FolderOf(key.Job), string.Create(CultureInfo.InvariantCulture, $"{key.Job}-{key.Attempt}-{key.Rank}.log"));

    /// <summary>The log that a file's name names; null where it names none.</summary>
    public static TaskLogKey? Parse(string fileName)
    {
        var parts = Path.GetFileNameWithoutExtension(fileName).Split('-');
        return parts.Length == 7
            && TypedId.TryParse<JobId>(string.Join('-', parts[..5]), out var job)
            && int.TryParse(parts[5], NumberStyles.None, CultureInfo.InvariantCulture, out var attempt)
            && int.TryParse(parts[6], NumberStyles.None, CultureInfo.InvariantCulture, out var rank)
            ? new TaskLogKey(job, attempt, rank)
            : null;
    }

    public void Dispose()
    {
        foreach (var key in _open.Keys)
            Close(key);
    }

    private LogFile Find(TaskLogKey key)
    {
        while (true)
        {
            if (_open.TryGetValue(key, out var known))
                return known;
            // The oldest goes, used or not: a log in use is opened again by its next bytes.
            while (Volatile.Read(ref _openCount) >= options.OpenFiles && _opened.TryDequeue(out var oldest))
                Close(oldest);
            var file = new LogFile(PathOf(key));
            if (!_open.TryAdd(key, file))
                continue;
            Interlocked.Increment(ref _openCount);
            _opened.Enqueue(key);
            return file;
        }
    }

    private void Close(TaskLogKey key)
    {
        if (!_open.TryRemove(key, out var file))
            return;
        Interlocked.Decrement(ref _openCount);
        lock (file)
            file.Close();
    }

    private IEnumerable<FileInfo> FilesOf(JobId job)
    {
        var shard = new DirectoryInfo(FolderOf(job));
        return shard.Exists ? shard.EnumerateFiles($"{job}-*.log") : [];
    }
}

/// <summary>One log's file, opened at its first use. All but <see cref="KnownLength"/> is used under a lock on the object.</summary>
internal sealed class LogFile(string path)
{
    private SafeFileHandle? _handle;
    private long _length = -1;

    public bool IsClosed { get; private set; }

    /// <summary>Null before the first use.</summary>
    public long? KnownLength => Volatile.Read(ref _length) is >= 0 and var length ? length : null;

    public long Length
    {
        get
        {
            Open();
            return _length;
        }
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        var handle = Open();
        RandomAccess.Write(handle, bytes, _length);
        Volatile.Write(ref _length, _length + bytes.Length);
    }

    public void Close()
    {
        IsClosed = true;
        _handle?.Dispose();
    }

    private SafeFileHandle Open()
    {
        if (_handle is not null)
            return _handle;
        try
        {
            _handle = OpenOrCreate();
        }
        catch (DirectoryNotFoundException)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            _handle = OpenOrCreate();
        }
        Volatile.Write(ref _length, WholeRecords(_handle));
        return _handle;
    }

    private SafeFileHandle OpenOrCreate() =>
        File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>
    /// Where the last whole record ends. A machine that lost power may have left half of one; it is cut off, and the node sends it again
    /// because the next acknowledgement names this offset.
    /// </summary>
    private static long WholeRecords(SafeFileHandle handle)
    {
        var length = RandomAccess.GetLength(handle);
        Span<byte> block = stackalloc byte[4096];
        for (var end = length; end > 0;)
        {
            var start = Math.Max(0, end - block.Length);
            var part = block[..(int)(end - start)];
            var read = RandomAccess.Read(handle, part, start);
            var last = part[..read].LastIndexOf((byte)'\n');
            if (last >= 0)
            {
                if (start + last + 1 < length)
                    RandomAccess.SetLength(handle, start + last + 1);
                return start + last + 1;
            }
            end = start;
        }
        if (length > 0)
            RandomAccess.SetLength(handle, 0);
        return 0;
    }
}
