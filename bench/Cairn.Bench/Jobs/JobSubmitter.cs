using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Cairn.Bench.Servers;
using Cairn.Contracts.Api;

namespace Cairn.Bench.Jobs;

/// <summary>
/// One keep-alive connection that submits jobs, one POST with its own idempotency key after the other. It speaks HTTP/1.1 by itself: a general client
/// would take more of the machine than the server that is measured.
/// </summary>
internal sealed class JobSubmitter : IDisposable
{
    private const string Workload = "name: echo\nrun: echo hello\nresources:\n  cpus: 1\n";
    private const int KeyLength = 32;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _request;
    private readonly int _keyAt;
    private readonly byte[] _reply = new byte[64 * 1024];

    private JobSubmitter(ServerProcess server)
    {
        var body = JsonSerializer.Serialize(new SubmitJobRequest { Workload = Workload, FileName = "echo.yaml" }, ApiJson.Compact);
        var head = string.Create(CultureInfo.InvariantCulture,
            $"POST /api/v1/jobs HTTP/1.1\r\nHost: {new Uri(server.Http).Authority}\r\nAuthorization: Bearer {server.Key}\r\n")
            + string.Create(CultureInfo.InvariantCulture, $"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nIdempotency-Key: ");
        _keyAt = head.Length;
        _request = Encoding.UTF8.GetBytes(head + new string('0', KeyLength) + "\r\n\r\n" + body);
    }

    public static async Task<JobSubmitter> ConnectAsync(ServerProcess server)
    {
        var submitter = new JobSubmitter(server);
        var address = new Uri(server.Http);
        await submitter._socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(address.Host), address.Port));
        return submitter;
    }

    /// <summary>Submits one job and waits until the server says that it is durable.</summary>
    /// <returns>The job's id.</returns>
    public async ValueTask<string> SubmitAsync(Guid key)
    {
        key.TryFormat(_request.AsSpan(_keyAt), out _, "N");
        for (var sent = 0; sent < _request.Length;)
            sent += await _socket.SendAsync(_request.AsMemory(sent));
        var length = 0;
        while (!IsWhole(_reply.AsSpan(0, length)))
        {
            var read = await _socket.ReceiveAsync(_reply.AsMemory(length));
            if (read == 0)
                throw new InvalidOperationException("The server closed a submitting connection.");
            length += read;
        }

        return IdOf(_reply.AsSpan(0, length));
    }

    public void Dispose() => _socket.Dispose();

    private static bool IsWhole(ReadOnlySpan<byte> reply)
    {
        var headEnd = reply.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
            return false;
        var head = reply[..headEnd];
        var at = head.IndexOf("Content-Length: "u8);
        if (at < 0)
            return reply.EndsWith("\r\n0\r\n\r\n"u8);
        var digits = head[(at + "Content-Length: "u8.Length)..];
        var end = digits.IndexOf((byte)'\r');
        return reply.Length - headEnd - 4 >= int.Parse(end < 0 ? digits : digits[..end], CultureInfo.InvariantCulture);
    }

    private static string IdOf(ReadOnlySpan<byte> reply)
    {
        var at = reply.IndexOf("\"id\":\""u8);
        if (!reply.StartsWith("HTTP/1.1 201"u8) || at < 0)
            throw new InvalidOperationException($"A submission was refused: {Encoding.UTF8.GetString(reply)}");
        return Encoding.UTF8.GetString(reply.Slice(at + 6, 36));
    }
}
