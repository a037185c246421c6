using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.S3.Transfer;

namespace Cairn.State;

/// <summary>Where contents are in an S3, Amazon's or another's.</summary>
public sealed class S3BlobOptions
{
    public required string Bucket { get; init; }

    /// <summary>Put before each hash, such as <c>blobs/</c>; default empty.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The address of an S3 that is not Amazon's, such as <c>https://minio.example:9000</c>; null for Amazon's.</summary>
    public string? Endpoint { get; init; }

    /// <summary>The region to sign for; default us-east-1, which other S3s take as well.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>
    /// Whether the bucket is in the path and not in the host's name, as most S3s that are not Amazon's want it; default false.
    /// </summary>
    public bool PathStyle { get; init; }

    /// <summary>The access key; null takes it, with the secret, from where AWS's tools do (environment, profile, instance role).</summary>
    public string? AccessKey { get; init; }

    public string? SecretKey { get; init; }

    /// <summary>The largest content taken; default 64 GiB.</summary>
    public long MostBytes { get; init; } = FolderBlobs.DefaultMostBytes;
}

/// <summary>
/// Contents as objects of an S3 bucket. A content is spooled to a temporary file and verified there before the first byte is sent, so the
/// bucket never holds a wrong one and a broken upload can be sent again.
/// </summary>
public sealed class S3Blobs : IBlobs, IDisposable
{
    private const int ParallelQuestions = 16;

    private readonly S3BlobOptions _options;
    private readonly AmazonS3Client _client;

    /// <summary>Beyond this a content is sent in parts of this size.</summary>
    internal long OnePart { get; init; } = 64L << 20;

    public S3Blobs(S3BlobOptions options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Bucket);
        if (options.AccessKey is null != options.SecretKey is null)
        {
            throw new ArgumentException(
                "S3 has an access key or a secret key but not both; give both, or neither to take them from the environment.",
                nameof(options));
        }
        _options = options;
        var config = new AmazonS3Config
        {
            AuthenticationRegion = options.Region,
            ForcePathStyle = options.PathStyle,
            // Checksums in trailers are new, and many S3s that are not Amazon's refuse them; the hash is verified here in any case.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (options.Endpoint is null)
            config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(options.Region);
        else
            config.ServiceURL = options.Endpoint;
        _client = options.AccessKey is null
            ? new AmazonS3Client(config)
            : new AmazonS3Client(new BasicAWSCredentials(options.AccessKey, options.SecretKey), config);
    }

    public async Task<bool> ExistsAsync(string hash, CancellationToken cancellationToken)
    {
        BlobHash.Require(hash);
        try
        {
            await _client.GetObjectMetadataAsync(_options.Bucket, KeyOf(hash), cancellationToken);
            return true;
        }
        catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
        catch (AmazonServiceException error)
        {
            throw Refused(hash, error);
        }
    }

    public async Task<Stream> OpenReadAsync(string hash, CancellationToken cancellationToken)
    {
        BlobHash.Require(hash);
        try
        {
            var response = await _client.GetObjectAsync(_options.Bucket, KeyOf(hash), cancellationToken);
            return response.ResponseStream;
        }
        catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.NotFound)
        {
            throw new BlobException(BlobFault.Missing, $"There is no blob {hash} in the bucket {_options.Bucket}.", error);
        }
        catch (AmazonServiceException error)
        {
            throw Refused(hash, error);
        }
    }

    public async Task PutAsync(string hash, long size, Stream content, CancellationToken cancellationToken)
    {
        BlobHash.RequireSize(hash, size, _options.MostBytes);
        if (await ExistsAsync(hash, cancellationToken))
            return;
        var path = Path.Combine(Path.GetTempPath(), "cairn-blob-" + Path.GetRandomFileName());
        await using var spool = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
        });
        await BlobHash.CopyAsync(content, spool, hash, size, cancellationToken);
        spool.Position = 0;
        try
        {
            await SendAsync(hash, size, spool, cancellationToken);
        }
        catch (AmazonS3Exception error) when (error.StatusCode is HttpStatusCode.PreconditionFailed or HttpStatusCode.Conflict)
        {
            // Another put the same content meanwhile. A conflict is one that is still under way, and may yet fail.
            if (!await ExistsAsync(hash, cancellationToken))
                throw Refused(hash, error);
        }
        catch (AmazonServiceException error)
        {
            throw Refused(hash, error);
        }
    }

    public async Task<IReadOnlyList<string>> FindMissingAsync(IReadOnlyCollection<string> hashes, CancellationToken cancellationToken)
    {
        var asked = hashes.Distinct().ToList();
        var there = new bool[asked.Count];
        await Parallel.ForAsync(0, asked.Count,
            new ParallelOptions { MaxDegreeOfParallelism = ParallelQuestions, CancellationToken = cancellationToken },
            async (i, token) => there[i] = await ExistsAsync(asked[i], token));
        return [.. asked.Where((_, i) => !there[i])];
    }

    public async Task DeleteAsync(string hash, CancellationToken cancellationToken)
    {
        BlobHash.Require(hash);
        try
        {
            // S3 says yes to removing what is not there.
            await _client.DeleteObjectAsync(_options.Bucket, KeyOf(hash), cancellationToken);
        }
        catch (AmazonServiceException error)
        {
            throw Refused(hash, error);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task SendAsync(string hash, long size, FileStream spool, CancellationToken cancellationToken)
    {
        if (size <= OnePart)
        {
            await _client.PutObjectAsync(new PutObjectRequest
            {
                BucketName = _options.Bucket,
                Key = KeyOf(hash),
                InputStream = spool,
                AutoCloseStream = false,
                UseChunkEncoding = false,
                IfNoneMatch = "*",
            }, cancellationToken);
            return;
        }
        using var transfer = new TransferUtility(_client, new TransferUtilityConfig { MinSizeBeforePartUpload = OnePart });
        await transfer.UploadAsync(new TransferUtilityUploadRequest
        {
            BucketName = _options.Bucket,
            Key = KeyOf(hash),
            InputStream = spool,
            AutoCloseStream = false,
            PartSize = OnePart,
        }, cancellationToken);
    }

    private string KeyOf(string hash) => _options.Prefix + hash;

    private BlobException Refused(string hash, AmazonServiceException error) =>
        new(BlobFault.Unavailable,
            $"The bucket {_options.Bucket} refused the blob {hash}: {error.Message} ({(int)error.StatusCode} {error.ErrorCode}).", error);
}
