using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cairn.Contracts.Ids;

namespace Cairn.Fleet.Secrets;

/// <summary>
/// Seals the secrets of a job before they enter a row: AES-256-GCM, a fresh nonce each time, bound to the job's id so that a sealed text
/// does
/// not open under another job. The key is a file beside the data, mode 0600; without it the rows tell nothing.
/// </summary>
internal sealed class SecretSeal : IDisposable
{
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly AesGcm _cipher;

    private SecretSeal(byte[] key)
    {
        _cipher = new AesGcm(key, TagBytes);
    }

    /// <summary>Opens the key file, making it where missing.</summary>
    /// <exception cref="InvalidDataException">The file is there and holds no key.</exception>
    public static SecretSeal Open(string path)
    {
        if (!File.Exists(path))
            Create(path);
        var key = File.ReadAllBytes(path);
        if (key.Length != KeyBytes)
        {
            throw new InvalidDataException($"The secrets' key file {path} has {key.Length} bytes; expected {KeyBytes}. "
                + "Restore it, or remove it to lose the sealed secrets.");
        }
        return new SecretSeal(key);
    }

    public string Seal(JobId job, IReadOnlyDictionary<string, string> secrets)
    {
        var plain = JsonSerializer.SerializeToUtf8Bytes(secrets);
        var result = new byte[NonceBytes + TagBytes + plain.Length];
        RandomNumberGenerator.Fill(result.AsSpan(0, NonceBytes));
        lock (_cipher)
        {
            _cipher.Encrypt(
                result.AsSpan(0, NonceBytes), plain, result.AsSpan(NonceBytes + TagBytes), result.AsSpan(NonceBytes, TagBytes), Bound(job));
        }
        CryptographicOperations.ZeroMemory(plain);
        return Convert.ToBase64String(result);
    }

    /// <exception cref="CryptographicException">The text was changed, belongs to another job, or was sealed with another key.</exception>
    public IReadOnlyDictionary<string, string> Open(JobId job, string text)
    {
        var bytes = Convert.FromBase64String(text);
        var plain = new byte[bytes.Length - NonceBytes - TagBytes];
        lock (_cipher)
        {
            _cipher.Decrypt(
                bytes.AsSpan(0, NonceBytes), bytes.AsSpan(NonceBytes + TagBytes), bytes.AsSpan(NonceBytes, TagBytes), plain, Bound(job));
        }
        return JsonSerializer.Deserialize<Dictionary<string, string>>(plain)!;
    }

    public void Dispose() => _cipher.Dispose();

    private static byte[] Bound(JobId job) => Encoding.UTF8.GetBytes($"cairn-job-secrets-v1:{job}");

    private static void Create(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var temporary = path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(temporary, options))
        {
            file.Write(RandomNumberGenerator.GetBytes(KeyBytes));
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: false);
    }
}
