using System.Buffers;
using System.Text;
using Cairn.Contracts.Wire;
using Cairn.Node.Logs;
using CsCheck;

namespace Cairn.Node.Tests.Logs;

public sealed class The_log_store_keeps_what_was_not_taken
{
    /// <summary>
    /// Against a model: whatever is appended, sent, acknowledged and however often the store is opened again, the server that takes what
    /// it is sent has every byte, or a mark that says how many are missing, and the raw position is that of all bytes.
    /// </summary>
    [Fact]
    public void Whatever_happens_the_taken_log_stands_for_every_byte()
    {
        var step = Gen.Select(Gen.Int[0, 5], Gen.Int[1, 3000], Gen.Bool);
        step.Array[1, 120].Sample(steps =>
        {
            var folder = Directory.CreateTempSubdirectory("cairn-log-").FullName;
            try
            {
                Play(folder, steps);
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }, iter: 150);
    }

    private static void Play(string folder, (int Kind, int Size, bool Error)[] steps)
    {
        const long limit = 16 * 1024;
        var store = LogStore.Open(folder, limit);
        var server = new MemoryStream();
        var total = new RawPosition(0, 0);
        foreach (var (kind, size, error) in steps)
        {
            switch (kind)
            {
                case <= 2:
                    var line = new byte[size];
                    line.AsSpan().Fill((byte)'a');
                    var buffer = new ArrayBufferWriter<byte>();
                    LogRecord.Write(buffer, 1, error ? LogStream.Error : LogStream.Out, isPartial: size % 2 == 0, line);
                    var bytes = size + (size % 2 == 0 ? 0 : 1);
                    total += error ? new RawPosition(0, bytes) : new RawPosition(bytes, 0);
                    store.Append(buffer.WrittenMemory, total);
                    break;
                case 3:
                    Take(store, server, chunks: 1, acknowledge: error);
                    break;
                case 4:
                    store.Release(server.Length);
                    break;
                default:
                    store.Dispose();
                    store = LogStore.Open(folder, limit);
                    break;
            }
            Assert.Equal(total, store.Raw);
            Assert.True(store.Length >= server.Length);
        }
        Take(store, server, chunks: int.MaxValue, acknowledge: true);
        store.Dispose();
        var (length, raw) = LogSegment.Walk(server.ToArray(), default);
        Assert.Equal(server.Length, length);
        Assert.Equal(total, raw);
    }

    private static void Take(LogStore store, MemoryStream server, int chunks, bool acknowledge)
    {
        var buffer = new byte[LogRecord.MaxTextBytes + 64];
        for (var i = 0; i < chunks && store.Read(server.Length, buffer) is > 0 and var length; i++)
        {
            server.Write(buffer, 0, length);
            store.MarkSent(server.Length);
        }
        if (acknowledge)
            store.Release(server.Length);
    }

    [Fact]
    public void A_write_that_was_cut_off_is_cut_away()
    {
        var folder = Directory.CreateTempSubdirectory("cairn-log-").FullName;
        var buffer = new ArrayBufferWriter<byte>();
        LogRecord.Write(buffer, 1, LogStream.Out, false, "whole"u8);
        using (var store = LogStore.Open(folder, 1 << 20))
            store.Append(buffer.WrittenMemory, new RawPosition(6, 0));
        File.AppendAllText(Directory.GetFiles(folder, "*.log").Single(), "12 O half");
        using (var store = LogStore.Open(folder, 1 << 20))
        {
            Assert.Equal(new RawPosition(6, 0), store.Raw);
            Assert.Equal(buffer.WrittenCount, store.Length);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Records_are_read_as_they_were_written()
    {
        var text = Gen.Byte.Where(b => b != (byte)'\n').Array[0, 100];
        Gen.Select(Gen.Long[0, long.MaxValue], Gen.Enum<LogStream>(), Gen.Bool, text).Sample((micros, stream, partial, bytes) =>
        {
            var isPartial = partial && stream != LogStream.System;
            var buffer = new ArrayBufferWriter<byte>();
            LogRecord.Write(buffer, micros, stream, isPartial, bytes);
            Assert.True(LogRecord.TryRead(buffer.WrittenMemory, out var record, out var used));
            Assert.Equal(buffer.WrittenCount, used);
            Assert.Equal((micros, stream, isPartial), (record.UnixMicros, record.Stream, record.IsPartial));
            Assert.True(record.Text.Span.SequenceEqual(bytes));
        });
    }

    [Theory]
    [InlineData("")]
    [InlineData("12 O text")]
    [InlineData("x O text\n")]
    [InlineData("12 Q text\n")]
    [InlineData("12O text\n")]
    [InlineData("12 O\n")]
    public void What_is_no_record_is_not_read(string text) => Assert.False(LogRecord.TryRead(Encoding.UTF8.GetBytes(text), out _, out _));
}
